// Chance as a value: everything random is drawn from a Random that is passed in, so that a
// simulation from one seed repeats exactly.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <string_view>

namespace atelier {

class Random {
  public:
    virtual ~Random() = default;
    virtual std::uint64_t next() = 0;  // uniform over 64 bits; thread-safe
};

// The same sequence for the same seed. For tests and simulation.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t next() override {
        const std::lock_guard lock(mutex_);
        return engine_();
    }

  private:
    std::mutex mutex_;
    std::mt19937_64 engine_;
};

// From the operating system; good enough for tokens and keys.
class SystemRandom final : public Random {
  public:
    std::uint64_t next() override;
};

std::string uuid4(Random& random);
// `length` letters of `alphabet`, uniformly.
std::string random_text(Random& random, std::size_t length, std::string_view alphabet);
// The letters that Kubernetes uses after generateName: no vowels, so no words.
inline constexpr std::string_view name_suffix_alphabet = "bcdfghjklmnpqrstvwxz2456789";
// Uniform in [0, 1).
double unit_interval(Random& random);

}  // namespace atelier
