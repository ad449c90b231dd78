"""Benchmarks for airspeed velocity: see ../asv.conf.json."""
