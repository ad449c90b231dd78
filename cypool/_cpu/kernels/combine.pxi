# The three ways to combine two values. Max and Min are written so that one compare and one select
# do it; neither keeps a NaN in its left operand apart, so floating point has careful forms, used on
# the pieces of an array in which a NaN was found.

cdef inline acc combine(acc a, acc b, reducer *_) noexcept nogil:
    if reducer is Sum:
        return <acc>(a + b)
    elif reducer is Max:
        return a if a > b else b
    elif reducer is Min:
        return a if a < b else b
    elif reducer is NanMax:
        return b if (b > a) | (b != b) else a
    else:
        return b if (b < a) | (b != b) else a


cdef inline acc identity(reducer *_, acc *unused) noexcept nogil:
    cdef bint least = reducer is Max or reducer is NanMax
    if reducer is Sum:
        return <acc>0
    elif acc is float or acc is double:
        return <acc>(-INFINITY if least else INFINITY)
    elif acc is int8_t:
        return INT8_MIN if least else INT8_MAX
    elif acc is int16_t:
        return INT16_MIN if least else INT16_MAX
    elif acc is int32_t:
        return INT32_MIN if least else INT32_MAX
    elif acc is int64_t:
        return INT64_MIN if least else INT64_MAX
    elif acc is uint8_t:
        return 0 if least else UINT8_MAX
    elif acc is uint16_t:
        return 0 if least else UINT16_MAX
    elif acc is uint32_t:
        return 0 if least else UINT32_MAX
    elif acc is uint64_t:
        return 0 if least else UINT64_MAX
    else:
        return (<int128>INT64_MIN) << 64
