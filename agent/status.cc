#include "agent/status.h"

#include "base/field_codec.h"

namespace atelier::agent {

std::string text_of(const Status& status) {
    json::Document document = json::document_of(status);
    if (status.plugins.empty()) {
        json::set(document, "plugins", json::Value(rapidjson::kArrayType), document.GetAllocator());
    }
    return json::text(document) + "\n";
}

}  // namespace atelier::agent
