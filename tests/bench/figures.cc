#include "tests/bench/figures.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <thread>

#include "base/result.h"

namespace atelier::bench {
namespace {

template <class Field>
std::vector<double> all(const std::vector<Rate>& rates, Field field) {
    std::vector<double> out;
    for (const Rate& rate : rates) out.push_back(rate.*field);
    return out;
}

}  // namespace

double seconds_since(Steady::time_point begin) {
    return std::chrono::duration<double>(Steady::now() - begin).count();
}

double cpu_seconds(pid_t process) {
    clockid_t clock{};
    timespec time{};
    CHECK(clock_getcpuclockid(process, &clock) == 0);
    CHECK(clock_gettime(clock, &time) == 0);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

double resident_bytes(pid_t process) {
    std::ifstream statm(fmt::format("/proc/{}/statm", process));
    double pages = 0;
    statm >> pages >> pages;
    return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double quantile(std::vector<double> figures, double part) {
    if (figures.empty()) return 0;
    std::sort(figures.begin(), figures.end());
    const auto at = static_cast<std::size_t>(static_cast<double>(figures.size()) * part);
    return figures[std::min(at, figures.size() - 1)];
}

Rate measure(pid_t process, int workers, double seconds, int most,
             const std::function<void(int worker, int number)>& one) {
    std::atomic<int> next{0};
    std::vector<std::vector<double>> taken(static_cast<std::size_t>(workers));
    const double cpu = cpu_seconds(process);
    const auto begin = Steady::now();
    {
        std::vector<std::jthread> threads;
        for (int worker = 0; worker < workers; ++worker) {
            threads.emplace_back([&, worker] {
                std::vector<double>& mine = taken[static_cast<std::size_t>(worker)];
                do {
                    const int number = next.fetch_add(1);
                    if (most != 0 && number >= most) return;
                    const auto start = Steady::now();
                    one(worker, number);
                    mine.push_back(seconds_since(start) * 1e3);
                } while (seconds_since(begin) < seconds);
            });
        }
    }
    const double wall = seconds_since(begin);
    std::vector<double> all;
    for (const auto& mine : taken) all.insert(all.end(), mine.begin(), mine.end());
    const auto count = static_cast<double>(all.size());
    return {count / wall, (cpu_seconds(process) - cpu) / count * 1e6, quantile(all, 0.5),
            quantile(all, 0.99)};
}

void Rounds::add(const Rate& rate) {
    rates_.push_back(rate);
}

void Rounds::beside(std::string_view what, double per_second) {
    auto it = std::find_if(besides_.begin(), besides_.end(),
                           [&](const Beside& one) { return one.what == what; });
    if (it == besides_.end()) it = besides_.insert(it, {std::string(what), {}, {}});
    it->rates.push_back(per_second);
    it->ratios.push_back(rates_.back().per_second / per_second);
}

void Rounds::print() const {
    std::string text = fmt::format("{}/s   cpu {} us", range(all(rates_, &Rate::per_second), 0),
                                   range(all(rates_, &Rate::cpu_micros), 1));
    // Where one at a time was not timed, there is nothing to say of it.
    if (quantile(all(rates_, &Rate::p99), 1) > 0) {
        text += fmt::format("   p50 {} ms   p99 {} ms", range(all(rates_, &Rate::p50), 2),
                            range(all(rates_, &Rate::p99), 2));
    }
    line(name_, text);
    for (const Beside& one : besides_) {
        line("  beside " + one.what,
             fmt::format("{}/s   ratio {}", range(one.rates, 0), range(one.ratios, 2)));
    }
}

std::string range(const std::vector<double>& figures, int digits) {
    if (figures.size() < 2) return fmt::format("{:.{}f}", quantile(figures, 0.5), digits);
    return fmt::format("{:.{}f} ({:.{}f} to {:.{}f})", quantile(figures, 0.5), digits,
                       quantile(figures, 0), digits, quantile(figures, 1), digits);
}

void line(std::string_view name, std::string_view text) {
    fmt::print("  {:<44} {}\n", name, text);
    std::fflush(stdout);
}

}  // namespace atelier::bench
