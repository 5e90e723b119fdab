#!/usr/bin/env bash
# Packs what is published, installs it from a folder into fresh projects outside of the repository, and runs these: the
# libraries, the tool, and the library in applications that are trimmed, one file, or compiled ahead of time (ReadyToRun).
# Needs a build in Release, and of the network only the packages of nuget.org that are not in the cache.
set -euo pipefail
cd "$(dirname "$0")/../.."

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
feed="$work/feed"
platform="$(dotnet msbuild src/SapaGpu.Cli -getProperty:NETCoreSdkPortableRuntimeIdentifier)"
central() { sed -n "s/.*Include=\"$1\" Version=\"\([^\"]*\)\".*/\1/p" Directory.Packages.props; }

stage() { echo "-- $1 (after $SECONDS s)"; }
fail() {
    echo "FAILED: $1"
    exit 1
}

stage "pack"
# One version, whatever is committed meanwhile.
version="$(dotnet msbuild src/SapaGpu -t:MinVer -getProperty:Version)"
export MinVerVersionOverride="$version"
for library in SapaGpu SapaGpu.Guided SapaGpu.Onnx SapaGpu.TorchSharp; do
    dotnet pack "src/$library" -c Release --no-build --output "$feed" -v quiet
done
# For a platform the tool is compiled once more; the build has run the analysers.
dotnet pack src/SapaGpu.Cli -c Release --output "$feed" -v quiet -p:ToolPlatforms="$platform" -p:RunAnalyzers=false
for package in "$feed"/*.nupkg; do
    echo "$(basename "$package"): $(($(stat -c %s "$package") / 1024)) KiB"
done

stage "what is in the packages"
content() { unzip -Z1 "$feed/$1.$version.$2"; }
has() { content "$1" "$3" | grep -x "$2" >/dev/null || fail "$1.$3 has no $2"; }
unzip -p "$feed/SapaGpu.$version.nupkg" _manifest/bom.json | grep -c "\"version\": \"$version\"" >/dev/null ||
    fail "the bill of materials is of another version"
for package in SapaGpu SapaGpu.Guided SapaGpu.Onnx SapaGpu.TorchSharp SapaGpu.Cli; do
    for file in README.md NOTICE icon.png _manifest/bom.json; do
        has "$package" "$file" nupkg
    done
    if unzip -p "$feed/$package.$version.nupkg" README.md | grep -n ']([^h#]'; then
        fail "the README of $package has a relative link"
    fi
done
for assembly in SapaGpu SapaGpu.Kernels; do
    has SapaGpu "lib/net10.0/$assembly.dll" nupkg
    has SapaGpu "lib/net10.0/$assembly.pdb" snupkg
done
for file in SapaGpu.targets SapaGpu.roots.xml; do
    has SapaGpu "buildTransitive/$file" nupkg
done
for package in SapaGpu.Guided SapaGpu.Onnx SapaGpu.TorchSharp; do
    unzip -p "$feed/$package.$version.nupkg" "$package.nuspec" >"$work/nuspec"
    grep -q "id=\"SapaGpu\" version=\"\[$version\]\"" "$work/nuspec" || fail "$package does not name its own build of SapaGpu"
    if grep -E 'id="(SkiaSharp|SharpZipLib|MinVer|[^"]*Analyzers)' "$work/nuspec"; then
        fail "$package brings what only this repository asked for"
    fi
done
test "$(stat -c %s "$feed/SapaGpu.Cli.$platform.$version.nupkg")" -lt $((16 << 20)) || fail "the tool is larger than 16 MiB"

stage "libraries in projects of their own"
projects="$work/projects"
cp -r tests/Packages "$projects"
cp bench/Shared/TorchLibrary.cs "$projects/UseTorchSharp/"
cat >"$projects/nuget.config" <<EOF
<configuration>
  <packageSources>
    <clear />
    <add key="built" value="$feed" />
    <add key="nuget.org" value="https://api.nuget.org/v3/index.json" protocolVersion="3" />
  </packageSources>
  <packageSourceMapping>
    <packageSource key="built"><package pattern="SapaGpu*" /></packageSource>
    <packageSource key="nuget.org"><package pattern="*" /></packageSource>
  </packageSourceMapping>
</configuration>
EOF
# What was just packed is not put among the packages of the machine; those are used where they are.
RestoreFallbackFolders="${NUGET_PACKAGES:-$HOME/.nuget/packages}"
export RestoreFallbackFolders RestorePackagesPath="$work/packages" SapaGpuVersion="$version"
OnnxRuntimeVersion="$(central Microsoft.ML.OnnxRuntime)"
LibtorchVersion="$(central libtorch-cpu-linux-x64)"
export OnnxRuntimeVersion LibtorchVersion
for project in UseLibrary UseGuided UseOnnx UseTorchSharp; do
    if [ "$project" = UseTorchSharp ] && [ "$platform" != linux-x64 ]; then
        echo "UseTorchSharp: skipped on $platform"
        continue
    fi
    dotnet build "$projects/$project" -c Release -v quiet --nologo >"$work/log" || { cat "$work/log"; fail "$project does not build"; }
    dotnet "$projects/$project/bin/Release/net10.0/$project.dll" || fail "$project"
done

stage "the tool"
# The tool is installed from the folder, by the configuration beside the projects.
(cd "$projects" && dotnet tool install SapaGpu.Cli --version "$version" --tool-path "$work/tool" -v quiet)
"$work/tool/sapagpu" info
"$work/tool/sapagpu" upsample --guide docs/images/photo.png --input docs/images/labels_small.png --labels \
    --output "$work/labels.png" --device cpu
test -s "$work/labels.png" || fail "the tool writes no result"

stage "published in every way"
published() {
    local name="$1"
    shift
    # ILGPU and SapaGpu are kept whole: that they use reflection does no harm.
    dotnet publish "$projects/UseLibrary" -c Release -r "$platform" -p:NoWarn=IL2104 "$@" --output "$work/$name" -v quiet \
        --nologo >"$work/log" || { cat "$work/log"; fail "$name does not build"; }
    echo "$name: $(du -sm "$work/$name" | cut -f1) MiB"
    "$work/$name/UseLibrary" || fail "$name"
}
published trimmed -p:PublishTrimmed=true
published single-file -p:PublishSingleFile=true --self-contained
published ready-to-run -p:PublishReadyToRun=true --no-self-contained
stage "end"
