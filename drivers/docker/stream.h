// The streams that a Docker engine answers with, cut wherever the network cut them.
#pragma once

#include <array>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace atelier::drivers {

// Output of a container as the engine multiplexes it: frames of [1 or 2, 0, 0, 0, length in 4
// bytes].
class DockerStream {
  public:
    enum class Keep {
        oldest,        // the first bytes of each stream
        newest_merged  // the last bytes of both, in `out`, in the order in which they came
    };
    // Keeps at most `most` bytes of each stream; drops the rest and remembers that it did. Holds at
    // most twice as much.
    explicit DockerStream(std::size_t most, Keep keep = Keep::oldest) : most_(most), keep_(keep) {}
    void feed(std::string_view bytes);
    // `out`, cut to its bound.
    std::string take_out();

    std::string out;
    std::string err;
    bool truncated = false;

  private:
    void append(std::string& stream, std::string_view bytes);

    std::size_t most_;
    Keep keep_;
    std::array<unsigned char, 8> header_{};
    std::size_t header_size_ = 0;
    std::size_t left_ = 0;  // of the frame
};

// Lines of JSON, as events and the progress of a pull come. Holds one line, at most 1 MiB of it; a
// longer one is dropped.
class LineStream {
  public:
    explicit LineStream(std::function<void(std::string_view line)> take) : take_(std::move(take)) {}
    // Calls `take` for each line that ended, without its end; not for empty ones.
    void feed(std::string_view bytes);

  private:
    std::function<void(std::string_view)> take_;
    std::string pending_;
    bool dropping_ = false;
};

}  // namespace atelier::drivers
