cdef int team_size(object num_threads, Py_ssize_t pieces, double work) except -1
