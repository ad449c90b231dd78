NAMES: tuple[str, ...]
available: tuple[str, ...]
simd: str
