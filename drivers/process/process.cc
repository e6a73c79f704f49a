#include "drivers/process/process.h"

#include "drivers/process/runtime.h"

namespace atelier::drivers {

Result<std::unique_ptr<Runtime>> make_process_runtime(ProcessOptions options, const Clock& clock,
                                                      Random& random) {
    auto runtime = std::make_unique<ProcessRuntime>(std::move(options), clock, random);
    TRY(runtime->open());
    return std::unique_ptr<Runtime>(std::move(runtime));
}

}  // namespace atelier::drivers
