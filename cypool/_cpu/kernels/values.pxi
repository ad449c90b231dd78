# Elements as numbers in double precision, and back.

cdef inline double value_of(element v) noexcept nogil:
    if element is half:
        return cypool_from_half(v.bits)
    elif element is bfloat:
        return cypool_from_bfloat(v.bits)
    else:
        return <double>v


# Rounded once: to odd in float32 first, so that the second rounding is as if it were the only one.
cdef inline float to_odd(double v) noexcept nogil:
    cdef float f = <float>v
    cdef uint32_t bits = cypool_float_bits(f)
    if v != v or <double>f == v or bits & 1:
        return f
    if (<double>f > v) == (v > 0):
        return cypool_bits_float(bits - 1)
    return cypool_bits_float(bits + 1)


cdef inline element of_value(double v, element *_) noexcept nogil:
    cdef element e
    if element is half:
        e.bits = cypool_to_half(to_odd(v))
        return e
    elif element is bfloat:
        e.bits = cypool_to_bfloat(to_odd(v))
        return e
    else:
        return <element>v
