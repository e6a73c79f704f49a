// atelier_sim: many simulated lives of the control plane.
//
//     atelier_sim --seeds 1000            seeds 1 to 1000, on two threads
//     atelier_sim --seed 42               one seed, with its whole trace
//
// Every tenth seed is lived twice: the two traces must be the same.
#include <fmt/format.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>
#include <vector>

#include "tests/sim/life.h"

namespace {

int live_one(std::uint64_t seed) {
    atelier::sim::Life life(seed, true);
    const auto wrong = life.live();
    for (const std::string& line : life.trace()) std::puts(line.c_str());
    std::puts(fmt::format("seed {}: {}", seed, wrong ? "FAILED: " + *wrong : "fine").c_str());
    return wrong ? 1 : 0;
}

int live_many(std::uint64_t seeds) {
    std::atomic<std::uint64_t> next = 1;
    std::atomic<std::uint64_t> failed = 0;
    std::mutex mutex;
    const auto work = [&] {
        for (std::uint64_t seed = next++; seed <= seeds; seed = next++) {
            atelier::sim::Life life(seed, false);
            auto wrong = life.live();
            if (!wrong && seed % 10 == 0) {
                const std::string first = life.fingerprint();
                atelier::sim::Life again(seed, false);
                (void)again.live();
                if (again.fingerprint() != first) wrong = "the same seed lived another life";
            }
            if (!wrong) continue;
            ++failed;
            const std::lock_guard lock(mutex);
            std::puts(fmt::format("seed {}: FAILED: {}", seed, *wrong).c_str());
            std::fflush(stdout);
        }
    };
    std::vector<std::jthread> threads;
    for (int i = 0; i < 2; ++i) threads.emplace_back(work);
    threads.clear();
    std::puts(fmt::format("{} passed, {} failed", seeds - failed, failed.load()).c_str());
    return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 3 && std::strcmp(argv[1], "--seed") == 0) {
        return live_one(std::strtoull(argv[2], nullptr, 10));
    }
    if (argc == 3 && std::strcmp(argv[1], "--seeds") == 0) {
        return live_many(std::strtoull(argv[2], nullptr, 10));
    }
    std::fputs("usage: atelier_sim --seeds N | --seed S\n", stderr);
    return 2;
}
