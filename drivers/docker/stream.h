// Output as the Docker Engine multiplexes it: frames of [1 or 2, 0, 0, 0, length in 4 bytes].
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace atelier::drivers {

class DockerStream {
  public:
    // Keeps at most this much of each stream; drops, and remembers that it did, what is over it.
    // With `merged`, both go to `out`, in the order in which they came.
    explicit DockerStream(std::size_t most, bool merged = false) : most_(most), merged_(merged) {}
    void feed(std::string_view bytes);

    std::string out;
    std::string err;
    bool truncated = false;

  private:
    std::size_t most_;
    bool merged_;
    std::array<unsigned char, 8> header_{};
    std::size_t header_size_ = 0;
    std::size_t left_ = 0;  // of the frame
};

}  // namespace atelier::drivers
