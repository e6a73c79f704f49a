// The exit codes of `atelier` (docs/cli.md lists them for users).
#pragma once

namespace atelier::cli::exit_code {

inline constexpr int fine = 0;
inline constexpr int error = 1;
inline constexpr int usage = 2;
inline constexpr int timed_out = 3;
inline constexpr int stalled = 4;
inline constexpr int rolled_back = 5;
inline constexpr int waiting_for_approval = 6;
inline constexpr int forbidden = 7;
inline constexpr int conflict = 8;
inline constexpr int interrupted = 130;

}  // namespace atelier::cli::exit_code
