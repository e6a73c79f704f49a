// The compiler of templates under libFuzzer: any text whatever compiles or is refused in good
// order.
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/template_case.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto wrong =
        atelier::fuzz::wrong_with_template({reinterpret_cast<const char*>(data), size});
    if (wrong.empty()) return 0;
    std::fprintf(stderr, "wrong: %s\n", wrong.c_str());
    std::abort();
}
