#include "store/store.h"

#include <future>
#include <utility>

namespace atelier::store {

Result<std::vector<ObjectPtr>> write_all_and_wait(Store& store, std::vector<Write> writes) {
    std::promise<Result<std::vector<ObjectPtr>>> promise;
    auto answer = promise.get_future();
    store.write_all(std::move(writes), [&promise](Result<std::vector<ObjectPtr>> result) {
        promise.set_value(std::move(result));
    });
    return answer.get();
}

Result<ObjectPtr> write_and_wait(Store& store, Write write) {
    std::promise<Result<ObjectPtr>> promise;
    auto answer = promise.get_future();
    store.write(std::move(write),
                [&promise](Result<ObjectPtr> result) { promise.set_value(std::move(result)); });
    return answer.get();
}

}  // namespace atelier::store
