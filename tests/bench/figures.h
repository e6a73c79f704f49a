// What every measurement here needs: the CPU time of another process, medians with their range, and
// one line a figure. Machines are shared and their minutes differ, so each figure is measured in
// rounds, with what it is compared with in the same round.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::bench {

using Steady = std::chrono::steady_clock;
double seconds_since(Steady::time_point begin);

// Of the whole process, all its threads, to the nanosecond.
double cpu_seconds(pid_t process);
double resident_bytes(pid_t process);

// Of the figures, the one that `part` of them are not above: 0.5 is the median.
double quantile(std::vector<double> figures, double part);

// One round of one operation.
struct Rate {
    double per_second = 0;
    double cpu_micros = 0;  // of the process under test, an operation
    double p50 = 0;         // milliseconds
    double p99 = 0;
};

// Runs `one(worker, number)` on as many threads until the time is over (or `most` were done, when
// that is not 0); the number is unique.
Rate measure(pid_t process, int workers, double seconds, int most,
             const std::function<void(int worker, int number)>& one);

// The rounds of one operation and of what it is compared with.
class Rounds {
  public:
    explicit Rounds(std::string name) : name_(std::move(name)) {}
    void add(const Rate& rate);
    // In the same round as the last add(): so many of it a second.
    void beside(std::string_view what, double per_second);
    // "name  12345/s (11000 to 13000)  cpu …", and below it a line for each comparison.
    void print() const;

  private:
    struct Beside {
        std::string what;
        std::vector<double> rates;
        std::vector<double> ratios;
    };
    std::string name_;
    std::vector<Rate> rates_;
    std::vector<Beside> besides_;
};

// "12.3 (11.0 to 13.1)"
std::string range(const std::vector<double>& figures, int digits);
void line(std::string_view name, std::string_view text);

}  // namespace atelier::bench
