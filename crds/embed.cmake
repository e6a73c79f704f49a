# Writes the YAML files of a list into one .cc file as string literals.
# cmake -DOUT=... -DFUNCTION=... -DFILES="a.yaml;b.yaml" -P embed.cmake
set(entries "")
set(literals "")
set(index 0)
foreach(file IN LISTS FILES)
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} text HEX)
  string(REGEX REPLACE "(..)" "\\\\x\\1" text "${text}")
  # A literal has a limit on its length in the standard; pieces of one line each stay far below.
  string(REGEX REPLACE "(\\\\x0a)" "\\1\"\n    \"" text "${text}")
  string(APPEND literals "constexpr std::string_view text_${index}{\n    \"${text}\"};\n")
  string(APPEND entries "    {\"${name}\", text_${index}},\n")
  math(EXPR index "${index} + 1")
endforeach()
file(WRITE ${OUT}
"// Generated from the YAML files of crds/; do not edit.
#include \"crds/definition.h\"

namespace atelier::crds {
namespace {
${literals}
constexpr EmbeddedFile files[] = {
${entries}};
}  // namespace

std::span<const EmbeddedFile> ${FUNCTION}() { return files; }

}  // namespace atelier::crds
")
