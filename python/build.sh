#!/usr/bin/env bash
# Builds the wheel into python/dist: the package, libsapagpu and the assemblies that it loads, for this platform. Builds the C library
# where it is missing. Needs the Python packages build, setuptools and wheel; PYTHON names another interpreter.
set -euo pipefail
cd "$(dirname "$0")"
for python in "${PYTHON:-python3}" /usr/bin/python3; do
    if "$python" -c "import setuptools, build, wheel" 2>/dev/null; then break; fi
done
native="$PWD/../native/out/lib"
if [ ! -e "$native/sapagpu/SapaGpu.Native.dll" ]; then
    ../native/build.sh
fi

# A copy, so that the checkout stays as it is.
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp -R pyproject.toml setup.py README.md sapagpu ../LICENSE ../NOTICE "$work/"
find "$work" -name __pycache__ -prune -exec rm -rf {} +
mkdir -p "$work/sapagpu/lib/sapagpu"
case "$(uname -s)" in
    Darwin) library=libsapagpu.dylib ;;
    *) library=libsapagpu.so ;;
esac
cp -L "$native/$library" "$work/sapagpu/lib/"
cp "$native"/sapagpu/*.dll "$native"/sapagpu/*.json "$work/sapagpu/lib/sapagpu/"

version="$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' ../Directory.Build.props)"
mkdir -p dist
rm -f dist/*.whl
SAPAGPU_VERSION="$version" "$python" -m build --wheel --no-isolation --outdir dist "$work" >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    exit 1
}
echo "The wheel is $PWD/$(ls dist/*.whl)."
