"""The compiled half of the build: one extension per module, one kernel module per instruction set.

The kernel modules are one source, translated once and compiled several times.

Everything else about the package is in pyproject.toml. Environment variables understood here:
CYPOOL_OPENMP=0 builds without OpenMP, =1 refuses to build without it; CYPOOL_DEBUG=1 turns on
Cython's bounds checks, keeps symbols and optimises nothing; CYPOOL_SANITIZE=1 builds for
AddressSanitizer and UndefinedBehaviorSanitizer, with bounds checks as well; their runtime has to be
preloaded then (.ci/sanitize does it all).
"""

import gc
import os
import platform
import sys
import sysconfig
import tempfile
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

DEBUG = os.environ.get("CYPOOL_DEBUG") == "1"
SANITIZE = os.environ.get("CYPOOL_SANITIZE") == "1"
# A free-threaded interpreter has no stable ABI yet.
STABLE_ABI = not sysconfig.get_config_var("Py_GIL_DISABLED")
X86 = platform.machine().lower() in ("x86_64", "amd64", "i386", "i686")

# No contraction: a fused multiply-add would round differently on processors that have one.
# -O2 with the vectorizer at its usual cost model: -O3 makes the kernels half as large again and
# no faster. Functions and loops begin where processors fetch well, so that the pace of one does not
# hang on how long those before it are.
FLAGS = ["-O2", "-falign-functions=64", "-falign-loops=32", "-ftree-vectorize",
         "-fvect-cost-model=dynamic", "-fno-inline-functions", "-fno-inline-small-functions",
         "-fno-ipa-cp-clone", "-fwrapv", "-ffp-contract=off", "-fno-math-errno",
         "-fno-trapping-math", "-fvisibility=hidden", "-Wno-unused-function",
         "-Wno-tautological-compare", "-Wno-psabi"]
if not (DEBUG or SANITIZE):
    # (Python's own flags ask for symbols, which take a fifth of the time and are stripped.)
    FLAGS += ["-g0"]
if DEBUG:
    FLAGS += ["-O0"]
LINK_FLAGS = [] if DEBUG or sys.platform == "darwin" else ["-s"]
if SANITIZE:
    LINK_FLAGS = ["-fsanitize=address,undefined"]
    FLAGS += [*LINK_FLAGS, "-fno-sanitize-recover=undefined", "-fno-omit-frame-pointer", "-O1",
              "-g"]
AVX2 = ["-mavx2", "-mfma", "-mf16c"]
AVX512 = [*AVX2, "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl",
          "-mprefer-vector-width=512"]
INSTRUCTION_SETS = {"baseline": []}
if X86:
    INSTRUCTION_SETS |= {"avx2": AVX2, "avx512": AVX512}
# Fewer of them are built sooner; the first is always one.
WANTED = os.environ.get("CYPOOL_INSTRUCTION_SETS", ",".join(INSTRUCTION_SETS)).split(",")
if not set(WANTED) <= set(INSTRUCTION_SETS):
    raise SystemExit(
        f"CYPOOL_INSTRUCTION_SETS must be some of {','.join(INSTRUCTION_SETS)}, got "
        f"{','.join(WANTED)!r}")


def extension(name, flags=(), macros=(), source=None):
    macros = [("CYTHON_WITHOUT_ASSERTIONS", "1"), *macros]
    if STABLE_ABI:
        macros.append(("Py_LIMITED_API", "0x030B0000"))
    here = Path("cypool", "_cpu")
    return Extension(
        f"cypool._cpu.{name}",
        [str(here / f"{source or name}.pyx")],
        include_dirs=[str(here / "include")],
        depends=[str(p) for p in [*here.glob("include/*.h"), *here.glob("kernels/*.pxi")]],
        define_macros=macros,
        extra_compile_args=[*FLAGS, *flags],
        extra_link_args=LINK_FLAGS,
        py_limited_api=STABLE_ABI,
    )


# What takes longest first.
KERNELS = [
    extension(f"{source}_{name}", flags, [
        ("CYPOOL_MODULE", f"{source}_{name}"), ("CYPOOL_ISA", name),
        ("CYPOOL_ISA_LEVEL", str(level))], source)
    for source in ("_integers", "_shorts", "_floats", "_kernels")
    for level, (name, flags) in reversed([*enumerate(INSTRUCTION_SETS.items())])
    if level == 0 or name in WANTED
]
EXTENSIONS = [*KERNELS, *(extension(name) for name in ("each", "driver", "threads", "dispatch"))]


def translate(extensions):
    """From Cython to C, each source once; what is not built is not translated either."""
    by_source = {ext.sources[0]: ext for ext in extensions}
    # Millions of objects, none of them garbage: to look for some takes a good part of the time.
    gc.disable()
    translated = cythonize(
        [Extension(ext.name.rpartition(".")[0] + "." + Path(source).stem, [source])
         for source, ext in by_source.items()],
        build_dir="build/cython",
        nthreads=os.cpu_count() or 1,
        compiler_directives={
            "language_level": 3,
            "boundscheck": DEBUG or SANITIZE,
            "wraparound": False,
            "initializedcheck": DEBUG or SANITIZE,
            "cdivision": True,
            "binding": True,
            "freethreading_compatible": True,
        },
    )
    made = dict(zip(by_source, (Path(ext.sources[0]) for ext in translated), strict=True))
    for ext in extensions:
        c = made[ext.sources[0]]
        ext.depends = [*ext.depends, str(c)]
        own = c.with_name(ext.name.rpartition(".")[2] + ".c")
        if own != c:
            # An object file is named after its source, so several modules of one need several.
            own.write_text(f'#include "{c.name}"\n')
        ext.sources = [str(own)]


class Build(build_ext):
    """Adds OpenMP where the compiler can link a program with it; modules in parallel."""

    def run(self):
        translate(self.extensions)
        super().run()

    def build_extensions(self):
        wanted = os.environ.get("CYPOOL_OPENMP", "auto")
        found = wanted != "0" and self.links_openmp()
        if wanted == "1" and not found:
            raise SystemExit("CYPOOL_OPENMP=1, but the compiler cannot link a program with OpenMP")
        print(f"cypool: building with{'' if found else 'out'} OpenMP", file=sys.stderr)
        if found:
            for ext in self.extensions:
                if ext not in KERNELS:
                    ext.extra_compile_args = [*ext.extra_compile_args, "-fopenmp"]
                    ext.extra_link_args = [*ext.extra_link_args, "-fopenmp"]
        self.parallel = self.parallel or os.cpu_count()
        super().build_extensions()

    def links_openmp(self):
        # A program, not a shared object, which would leave missing symbols for later.
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "probe.c")
            source.write_text(
                "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n")
            try:
                objects = self.compiler.compile(
                    [str(source)], output_dir=folder, extra_postargs=["-fopenmp"])
                self.compiler.link_executable(
                    objects, "probe", output_dir=folder, extra_postargs=["-fopenmp"])
            except Exception:
                return False
        return True


setup(
    ext_modules=EXTENSIONS,
    cmdclass={"build_ext": Build},
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if STABLE_ABI else {},
)
