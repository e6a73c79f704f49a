// The places that the contract of drivers/runtime.h is tested on: one suite for all of them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "drivers/runtime.h"

namespace atelier::drivers {

// Waits for what another process or thread does, at most two minutes.
inline bool eventually(const std::function<bool()>& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

// A folder of a test's own, gone with it.
class Folder {
  public:
    explicit Folder(Random& random)
        : path_(std::filesystem::temp_directory_path() /
                ("atelier-test-" + random_text(random, 12, name_suffix_alphabet))) {
        std::filesystem::create_directories(path_);
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

}  // namespace atelier::drivers
