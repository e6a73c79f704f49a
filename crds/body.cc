#include <fmt/format.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "crds/lifecycle.h"

namespace atelier::crds {
namespace {

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

void write_key(Writer& writer, std::string_view name) {
    writer.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
}

// The offset where the revision goes.
std::size_t write_metadata(const json::Value* metadata, Writer& writer,
                           const rapidjson::StringBuffer& buffer) {
    writer.StartObject();
    if (metadata && metadata->IsObject()) {
        for (const auto& m : metadata->GetObject()) {
            if (json::view(m.name) == "resourceVersion") continue;
            write_key(writer, json::view(m.name));
            m.value.Accept(writer);
        }
    }
    write_key(writer, "resourceVersion");
    writer.String("");
    const std::size_t hole = buffer.GetSize() - 1;
    writer.EndObject();
    return hole;
}

}  // namespace

std::string Body::with(Revision revision) const {
    const fmt::format_int digits(revision);
    std::string out;
    out.reserve(text.size() + digits.size());
    out.append(text, 0, revision_at);
    out.append(digits.data(), digits.size());
    out.append(text, revision_at);
    return out;
}

Body encode_body(const json::Value& object) {
    rapidjson::StringBuffer buffer;
    Writer writer(buffer);
    writer.StartObject();
    for (const std::string_view name : {"apiVersion", "kind"}) {
        if (const json::Value* value = json::find(object, {name})) {
            write_key(writer, name);
            value->Accept(writer);
        }
    }
    write_key(writer, "metadata");
    Body body;
    body.revision_at = write_metadata(json::find(object, {"metadata"}), writer, buffer);
    for (const auto& m : object.GetObject()) {
        const std::string_view name = json::view(m.name);
        if (name == "apiVersion" || name == "kind" || name == "metadata") continue;
        write_key(writer, name);
        m.value.Accept(writer);
    }
    writer.EndObject();
    body.text.assign(buffer.GetString(), buffer.GetSize());
    return body;
}

}  // namespace atelier::crds
