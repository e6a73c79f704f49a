#include "apiserver/request/collection.h"

#include <fmt/format.h>

namespace atelier::apiserver {

Result<Selection> read_selection(const Call& call, const ListOptions& options) {
    Selection out;
    out.ns = call.route.ns;
    out.labels = TRY(LabelSelector::parse(options.label_selector));
    std::string fields = options.field_selector;
    // A watch of one object is a watch with a selector.
    if (call.route.is_object()) fields = "metadata.name=" + call.route.name;
    out.fields = TRY(FieldSelector::parse(fields, call.kind()));
    out.label_selector = options.label_selector;
    out.field_selector = std::move(fields);
    return out;
}

Failure options_failure(const Error& error, std::string_view kind) {
    Failure failure = failure_of(error, nullptr, "");
    if (failure.status == 422) {
        failure.kind = kind;
        failure.group = "meta.k8s.io";
        failure.message = fmt::format("{}.meta.k8s.io \"\" is invalid: {}", kind, failure.message);
    }
    return failure;
}

Failure too_large_revision(Revision wanted, Revision current) {
    const std::string message =
        fmt::format("Too large resource version: {}, current: {}", wanted, current);
    Failure failure{504, "Timeout", "Timeout: " + message};
    failure.causes = {{"", "ResourceVersionTooLarge", "Too large resource version"}};
    failure.retry_after = 1;
    return failure;
}

}  // namespace atelier::apiserver
