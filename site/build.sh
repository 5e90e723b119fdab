#!/usr/bin/env bash
# Makes the site of the documentation, site/obj/site, out of docs/, the pages beside the README and the XML docs of the packages.
# A warning is an error. Needs a build in Release; `site/build.sh --serve` shows the site on http://localhost:8080.
set -euo pipefail
cd "$(dirname "$0")"

repository="$(dotnet msbuild ../src/SapaGpu -getProperty:RepositoryUrl)"
pages=obj/pages
rm -rf obj
mkdir -p "$pages"
cp -r ../docs "$pages/docs"
cp ../CHANGELOG.md ../CONTRIBUTING.md ../SECURITY.md ../CODE_OF_CONDUCT.md "$pages/"
cp ../README.md "$pages/index.md"
cp toc.yml "$pages/toc.yml"
cp docs.yml "$pages/docs/toc.yml"
for page in "$pages"/docs/*.md; do
    grep -q "href: $(basename "$page")" docs.yml || { echo "docs.yml does not name $(basename "$page")."; exit 1; }
done

# What is not of the site is in the repository.
find "$pages" -name '*.md' -exec sed -i -E \
    -e 's,\]\((\.\./)*README\.md,](\1index.md,g' \
    -e "s,\]\((\.\./)*((bench|experiments|native|python|samples|src|tests)/[^)]*|LICENSE|NOTICE)\),]($repository/blob/main/\2),g" {} +

dotnet tool restore --verbosity quiet
dotnet docfx metadata docfx.json --logLevel warning --warningsAsErrors
dotnet docfx build docfx.json --logLevel warning --warningsAsErrors
test -s obj/site/index.html && test -s obj/site/api/SapaGpu.WindowAttention.html && test -s obj/site/docs/images/compare.png
python3 check-links.py
echo "site/obj/site: $(find obj/site -name '*.html' | wc -l) pages"
if [ "${1:-}" = --serve ]; then
    dotnet docfx serve obj/site
fi
