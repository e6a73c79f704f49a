// Text that a stranger wrote, as one line that a terminal shows as it stands.
#pragma once

#include <string>
#include <string_view>

namespace atelier::drivers {

// At most 200 bytes of valid UTF-8; characters that move a terminal's cursor or turn the direction
// of writing become spaces.
std::string one_line(std::string_view text);

}  // namespace atelier::drivers
