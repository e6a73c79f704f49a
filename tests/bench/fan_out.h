// One change told to many watchers, beside one writer that sends the same bytes down as many plain
// TCP connections.
#pragma once

#include "tests/bench/http_client.h"

namespace atelier::bench {

// `events` of them as fast as they go, `rounds` times; then some at ten a second.
void measure_fan_out(const Server& server, int watchers, int events, int rounds);

}  // namespace atelier::bench
