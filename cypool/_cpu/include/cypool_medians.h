/* Networks that are compiled: columns sorted, and medians of square windows of sorted columns.
   Written by networks.py (`header`), which says what the numbers mean: rows that are given, rows
   made on the way, steps (X both, L the least, M the greatest), rows that are made of it all. */
#ifndef CYPOOL_MEDIANS_H
#define CYPOOL_MEDIANS_H

#define CYPOOL_GIVEN_SORT_2(F) \
    F(0) F(1)
#define CYPOOL_ROWS_SORT_2(F) \
    F(2) F(3)
#define CYPOOL_DONE_SORT_2(X, L, M) \
    X(0,1,2,3)
#define CYPOOL_MADE_SORT_2(F) \
    F(2) F(3)
#define CYPOOL_GIVEN_MEDIAN_2(F) \
    F(0) F(1) F(2) F(3)
#define CYPOOL_ROWS_MEDIAN_2(F) \
    F(4) F(5)
#define CYPOOL_DONE_MEDIAN_2(X, L, M) \
    M(0,1,4) L(3,4,5) L(5,2,4)
#define CYPOOL_MADE_MEDIAN_2(F) \
    F(4)
#define CYPOOL_GIVEN_SORT_3(F) \
    F(0) F(1) F(2)
#define CYPOOL_ROWS_SORT_3(F) \
    F(3) F(4) F(5) F(6) F(7)
#define CYPOOL_DONE_SORT_3(X, L, M) \
    X(1,2,3,6) X(0,3,4,7) X(6,7,3,5)
#define CYPOOL_MADE_SORT_3(F) \
    F(4) F(3) F(5)
#define CYPOOL_GIVEN_MEDIAN_3(F) \
    F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8)
#define CYPOOL_ROWS_MEDIAN_3(F) \
    F(9) F(10) F(11) F(12) F(13) F(14)
#define CYPOOL_DONE_MEDIAN_3(X, L, M) \
    M(2,1,10) L(8,7,11) X(11,10,12,13) X(5,4,11,10) X(11,12,9,14) X(10,13,12,11) M(0,12,13) \
    L(11,13,12) M(3,14,13) L(12,13,14) M(6,9,13) L(14,13,9)
#define CYPOOL_MADE_MEDIAN_3(F) \
    F(9)
#define CYPOOL_GIVEN_SORT_5(F) \
    F(0) F(1) F(2) F(3) F(4)
#define CYPOOL_ROWS_SORT_5(F) \
    F(5) F(6) F(7) F(8) F(9) F(10) F(11)
#define CYPOOL_DONE_SORT_5(X, L, M) \
    X(0,1,5,6) X(3,4,7,10) X(2,7,11,8) X(10,8,7,9) X(5,11,8,10) X(9,10,5,11) X(6,7,9,10) \
    X(9,5,7,6) X(10,11,5,9)
#define CYPOOL_MADE_SORT_5(F) \
    F(8) F(7) F(6) F(5) F(9)
#define CYPOOL_GIVEN_MEDIAN_5(F) \
    F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11) F(12) F(13) F(14) F(15) \
    F(16) F(17) F(18) F(19) F(20) F(21) F(22) F(23) F(24)
#define CYPOOL_ROWS_MEDIAN_5(F) \
    F(25) F(26) F(27) F(28) F(29) F(30) F(31) F(32) F(33) F(34) F(35) F(36) F(37) F(38) \
    F(39) F(40) F(41) F(42) F(43) F(44) F(45) F(46) F(47) F(48) F(49)
#define CYPOOL_DONE_MEDIAN_5(X, L, M) \
    X(4,3,26,27) X(24,23,28,25) X(28,27,29,30) X(14,13,28,27) X(28,29,31,32) X(27,30,29,28) \
    X(9,8,30,27) X(19,18,33,34) X(33,27,35,36) X(30,31,27,33) X(35,32,31,30) X(36,29,35,32) \
    X(34,28,29,36) X(2,1,28,34) X(22,21,37,38) X(37,34,39,40) X(12,11,37,34) X(37,39,41,42) \
    X(34,40,39,37) X(7,6,34,40) X(17,16,43,44) X(43,40,45,46) X(34,41,43,40) X(45,42,34,41) \
    X(46,39,45,42) X(44,37,39,46) M(0,28,37) X(46,37,28,44) X(20,41,46,37) X(46,28,41,47) \
    L(37,44,46) X(10,40,37,44) X(42,44,40,28) X(37,41,44,42) X(40,47,37,41) X(28,46,47,40) \
    X(5,43,46,28) X(38,28,43,48) X(45,43,38,28) X(15,34,45,43) X(39,43,34,49) X(45,38,39,43) \
    X(34,28,38,45) L(49,48,28) M(46,44,49) X(39,42,46,44) X(43,37,39,42) X(38,41,37,43) \
    X(45,47,38,41) X(28,40,47,45) M(26,47,28) L(45,28,47) M(27,41,45) L(47,45,27) \
    M(33,38,47) L(27,47,38) M(31,43,47) L(38,47,31) M(30,37,47) L(31,47,30) M(35,42,31) \
    L(30,31,35) M(32,39,31) L(35,31,39) M(29,44,31) L(39,31,29) M(36,46,39) L(29,39,46) \
    M(25,49,39) L(46,39,25)
#define CYPOOL_MADE_MEDIAN_5(F) \
    F(25)

#endif
