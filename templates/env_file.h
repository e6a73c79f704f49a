// The grammar of `.env` files, as docker compose reads them
// (https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax).
// Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "templates/compiled.h"

namespace atelier::templates {

// A line that a person should look at. The message names no value, because values are secret.
struct OddLine {
    int line = 0;  // counted from 1; where the entry begins
    std::string message;
};

struct EnvFile {
    EnvMap values;  // also empty ones: NAME= sets the empty value
    std::vector<OddLine> odd;
    // A quote that is never closed: where its value ends, and what comes after it, is unknown, and
    // the file cannot be used.
    std::optional<OddLine> unclosed;
};

// One NAME=value or NAME: value per entry, with blanks around each part and "export " in front
// allowed. Empty lines and lines that begin with '#' are skipped. CRLF counts as LF.
//   NAME=value # comment     A '#' after a blank begins a comment.
//   NAME="va\nlue" # …       Double quotes: \n, \r, \t, \\, \" and \$ are escapes.
//   NAME='va\nlue' # …       Single quotes: everything is literal but \'.
// A quoted value may have several lines. Of two entries of one name the last counts.
// Unlike docker compose, $NAME and ${NAME} are not expanded, and NAME alone takes no value from the
// server's environment: both are odd.
EnvFile parse_env(std::string_view text);

}  // namespace atelier::templates
