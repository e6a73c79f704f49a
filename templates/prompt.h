// Prompts of a template, which stand in place or in a file.
#pragma once

#include <string>

#include "templates/document.h"

namespace atelier::templates {

// The field `name` if it is there, else the text of the file that `<name>_file` names, relative to
// `folder`. Lines end with "\n", without trailing blanks and without empty lines at the end. A file
// that cannot be read, is not UTF-8 or is too large is an error, and the prompt is empty.
std::string read_prompt(Mapping& at, const std::string& name, const std::string& folder);

}  // namespace atelier::templates
