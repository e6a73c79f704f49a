// The definitions behind crds::decode and crds::encode, for the sources that instantiate them:
// one a kind (see base/fields.h).
#pragma once

#include "base/field_codec.h"
#include "crds/meta.h"

namespace atelier::crds {

template <class T>
Result<T> decode(const json::Value& object) {
    T out;
    out.meta = TRY(read_meta(object));
    if (const json::Value* spec = json::find(object, {"spec"})) {
        out.spec = TRY(json::read<typename T::Spec>(*spec));
    }
    if (const json::Value* status = json::find(object, {"status"})) {
        out.status = TRY(json::read<typename T::Status>(*status));
    }
    return out;
}

template <class T>
Result<T> decode(std::string_view json_text) {
    const json::Document document = TRY(json::parse(json_text));
    return decode<T>(static_cast<const json::Value&>(document));
}

template <class T>
json::Document encode(const T& object) {
    json::Document out(rapidjson::kObjectType);
    auto& allocator = out.GetAllocator();
    json::set(out, "apiVersion", api_version, allocator);
    json::set(out, "kind", T::Spec::kind, allocator);
    json::set(out, "metadata", write_meta(object.meta, allocator), allocator);
    json::set(out, "spec", json::write(object.spec, allocator), allocator);
    json::set(out, "status", json::write(object.status, allocator), allocator);
    return out;
}

}  // namespace atelier::crds

// Outside of every namespace: the object, its spec and its status.
#define INSTANTIATE_KIND(type)                                                               \
    template atelier::Result<type> atelier::crds::decode<type>(const atelier::json::Value&); \
    template atelier::Result<type> atelier::crds::decode<type>(std::string_view);            \
    template atelier::json::Document atelier::crds::encode<type>(const type&);               \
    INSTANTIATE_FIELDS(type::Spec);                                                          \
    INSTANTIATE_FIELDS(type::Status)
