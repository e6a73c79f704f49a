#include "reconcilers/org_template/document.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace atelier::reconcilers {
namespace {

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

// The tag and its argument, when the value is one of the parser's tagged values.
std::optional<std::pair<std::string_view, const json::Value*>> tag_of(const json::Value& value) {
    if (!value.IsObject() || value.MemberCount() != 1) return std::nullopt;
    const auto& member = *value.MemberBegin();
    const std::string_view name = json::view(member.name);
    if (!name.starts_with('!')) return std::nullopt;
    return std::pair(name, &member.value);
}

std::string chain_text(const Chain& innermost, const std::string& then) {
    std::vector<std::string> paths{then};
    for (const Chain* at = &innermost; at; at = at->from.get()) paths.push_back(at->path);
    std::reverse(paths.begin(), paths.end());
    return join(paths, " -> ");
}

std::string_view reason_of_unreadable(const Error& error) {
    switch (error.code) {
        case Code::not_found:
            return "IncludeMissing";
        case Code::forbidden:
            return "IncludeEscape";
        case Code::too_large:
            return "FileTooLarge";
        case Code::unsupported:
            return "InlineTemplate";
        default:
            return "FileUnreadable";
    }
}

std::string_view type_of(const json::Value& value) {
    if (value.IsObject()) return "a mapping";
    if (value.IsArray()) return "a list";
    if (value.IsString()) return "a text";
    if (value.IsBool()) return "a boolean";
    if (value.IsNumber()) return "a number";
    return "null";
}

}  // namespace

std::string text_of(const Finding& finding) {
    if (finding.file.empty()) return finding.message;  // the parser's, which name the place
    std::string place = finding.file;
    if (finding.line > 0) place += fmt::format(":{}:{}", finding.line, finding.column);
    return place + ": " + finding.message;
}

std::string Place::text() const {
    if (position.line == 0) return file;
    return fmt::format("{}:{}:{}", file, position.line, position.column);
}

void Findings::error(const Place& place, std::string_view reason, std::string message) {
    if (full()) return;
    errors_.push_back({std::string(reason), place.file, place.position.line, place.position.column,
                       std::move(message)});
}

void Findings::warn(const Place& place, std::string_view reason, std::string message) {
    if (warnings_.size() >= most_warnings) return;
    warnings_.push_back({std::string(reason), place.file, place.position.line,
                         place.position.column, std::move(message)});
}

Place Cursor::place() const {
    return {file->path, file->document.position_of(pointer)};
}

Cursor Cursor::member(std::string_view name, const json::Value& of) const {
    return {file, &of, pointer + "/" + crds::escape_pointer(name), chain};
}

Cursor Cursor::element(std::size_t index) const {
    return {file, &(*value)[static_cast<rapidjson::SizeType>(index)],
            pointer + "/" + std::to_string(index), chain};
}

std::optional<Cursor> Loader::open(const std::string& path) {
    const YamlFile* file = load(path, {path, {}});
    if (!file) return std::nullopt;
    return Cursor{file, &file->document.value, "",
                  std::make_shared<Chain>(Chain{path, 0, nullptr})};
}

std::optional<Cursor> Loader::resolve(Cursor at) {
    while (!findings_.full()) {
        if (at.value->IsNull()) return std::nullopt;
        const auto tag = tag_of(*at.value);
        if (!tag) return at;
        if (tag->first == "!include") {
            auto target = include(at, *tag->second);
            if (!target) return std::nullopt;
            at = std::move(*target);
            continue;
        }
        if (tag->first == "!external") {
            findings_.error(at.place(), "ExternalUnsupported",
                            "!external is not supported by this version: put the files into this "
                            "template, or make an OrgTemplate of that repository");
        } else {
            findings_.error(
                at.place(), "UnknownTag",
                fmt::format("unknown tag {}: only !include is known; a text that begins "
                            "with '!' needs quotes",
                            tag->first));
        }
        return std::nullopt;
    }
    return std::nullopt;
}

std::optional<Cursor> Loader::include(const Cursor& at, const json::Value& argument) {
    const Place place = at.place();
    if (!argument.IsString()) {
        findings_.error(place, "IncludeInvalid", "!include needs the path of a file");
        return std::nullopt;
    }
    const std::string asked(json::view(argument));
    const auto path = resolve_path(folder_of(at.file->path), asked);
    if (!path) {
        const bool escapes = path.error().code == Code::forbidden;
        findings_.error(place, escapes ? "IncludeEscape" : "IncludeInvalid",
                        fmt::format("!include {}: {}", asked, path.error().message));
        return std::nullopt;
    }
    for (const Chain* up = at.chain.get(); up; up = up->from.get()) {
        if (up->path != *path) continue;
        findings_.error(place, "IncludeCycle",
                        fmt::format("include cycle: {}", chain_text(*at.chain, *path)));
        return std::nullopt;
    }
    if (at.chain->depth + 1 > limits_.include_depth) {
        findings_.error(place, "IncludeDepth",
                        fmt::format("includes are nested deeper than {}: {}", limits_.include_depth,
                                    chain_text(*at.chain, *path)));
        return std::nullopt;
    }
    if (++includes_ > limits_.includes) {
        findings_.error(place, "TooManyIncludes",
                        fmt::format("more than {} includes", limits_.includes));
        return std::nullopt;
    }
    const YamlFile* file = load(*path, place);
    if (!file) return std::nullopt;
    return Cursor{file, &file->document.value, "",
                  std::make_shared<Chain>(Chain{*path, at.chain->depth + 1, at.chain})};
}

const YamlFile* Loader::load(const std::string& path, const Place& asked_from) {
    if (const auto known = loaded_.find(path); known != loaded_.end()) {
        if (!known->second) {
            findings_.error(asked_from, "IncludeMissing",
                            fmt::format("{} cannot be used: see the error before", path));
        }
        return known->second.get();
    }
    auto& slot = loaded_[path];
    const auto text = files_.read(path);
    if (!text) {
        const bool no_root = path == "org.yaml" && text.error().code == Code::not_found;
        findings_.error(asked_from,
                        no_root ? "TemplateMissing" : reason_of_unreadable(text.error()),
                        fmt::format("cannot read {}: {}", path, text.error().message));
        return nullptr;
    }
    bytes_ += static_cast<std::int64_t>(text->size());
    if (bytes_ > limits_.yaml_bytes) {
        findings_.error(
            asked_from, "TemplateTooLarge",
            fmt::format("the template has more than {} bytes of YAML", limits_.yaml_bytes));
        return nullptr;
    }
    auto documents = crds::parse_yaml_tagged(*text, path, {.limits = {}, .keep_tags = true});
    if (!documents) {
        findings_.error({"", {}}, "InvalidYaml", documents.error().message);
        return nullptr;
    }
    if (documents->size() != 1) {
        findings_.error(
            {path, {}}, "InvalidYaml",
            documents->empty()
                ? "the file is empty"
                : fmt::format("the file has {} documents, and one is expected", documents->size()));
        return nullptr;
    }
    slot = std::make_unique<YamlFile>(YamlFile{path, std::move(documents->front())});
    return slot.get();
}

Mapping::Mapping(Loader& loader, const Cursor& at, std::string_view what)
    : loader_(loader), at_(at), what_(what) {
    if (at_.value->IsObject()) return;
    loader_.findings().error(
        at_.place(), "InvalidField",
        fmt::format("{} must be a mapping, and is {}", what_, type_of(*at_.value)));
    at_.value = nullptr;
}

bool Mapping::has(std::string_view name) const {
    const json::Value* value = at_.value ? json::find(*at_.value, {name}) : nullptr;
    return value && !value->IsNull();
}

std::optional<Cursor> Mapping::find(std::string_view name) {
    known_.emplace(name);
    const json::Value* value = at_.value ? json::find(*at_.value, {name}) : nullptr;
    if (!value) return std::nullopt;
    return loader_.resolve(at_.member(name, *value));
}

void Mapping::wrong_type(const Cursor& field, std::string_view name, std::string_view wanted) {
    std::string message =
        fmt::format("{} must be {}, and is {}", name, wanted, type_of(*field.value));
    if (wanted == "a text" && (field.value->IsNumber() || field.value->IsBool())) {
        message += ": put it in quotes";
    }
    loader_.findings().error(field.place(), "InvalidField", std::move(message));
}

std::string Mapping::text(std::string_view name) {
    const auto field = find(name);
    if (!field) return {};
    if (field->value->IsString()) return std::string(json::view(*field->value));
    wrong_type(*field, name, "a text");
    return {};
}

std::int64_t Mapping::integer(std::string_view name, std::int64_t otherwise) {
    const auto field = find(name);
    if (!field) return otherwise;
    if (field->value->IsInt64()) return field->value->GetInt64();
    wrong_type(*field, name, "an integer");
    return otherwise;
}

std::optional<bool> Mapping::boolean(std::string_view name) {
    const auto field = find(name);
    if (!field) return std::nullopt;
    if (field->value->IsBool()) return field->value->GetBool();
    wrong_type(*field, name, "true or false");
    return std::nullopt;
}

std::optional<double> Mapping::number(std::string_view name) {
    const auto field = find(name);
    if (!field) return std::nullopt;
    if (field->value->IsNumber()) return field->value->GetDouble();
    wrong_type(*field, name, "a number");
    return std::nullopt;
}

std::vector<Cursor> Mapping::list(std::string_view name) {
    std::vector<Cursor> elements;
    const auto field = find(name);
    if (!field) return elements;
    if (!field->value->IsArray()) {
        wrong_type(*field, name, "a list");
        return elements;
    }
    for (std::size_t i = 0; i < field->value->Size(); ++i) {
        const Cursor element = field->element(i);
        if (element.value->IsNull()) {
            loader_.findings().warn(element.place(), "EmptyEntry",
                                    fmt::format("an empty entry of {} is ignored", name));
            continue;
        }
        if (auto resolved = loader_.resolve(element)) elements.push_back(std::move(*resolved));
    }
    return elements;
}

std::vector<std::string> Mapping::texts(std::string_view name) {
    std::vector<std::string> out;
    for (const Cursor& element : list(name)) {
        if (element.value->IsString()) {
            out.emplace_back(json::view(*element.value));
        } else {
            wrong_type(element, fmt::format("an entry of {}", name), "a text");
        }
    }
    return out;
}

Place Mapping::place_of(std::string_view name) const {
    const json::Value* value = at_.value ? json::find(*at_.value, {name}) : nullptr;
    return value ? at_.member(name, *value).place() : at_.place();
}

void Mapping::warn_unknown() {
    if (!at_.value) return;
    const std::vector<std::string> names(known_.begin(), known_.end());
    for (const auto& member : at_.value->GetObject()) {
        const std::string_view name = json::view(member.name);
        if (known_.contains(name)) continue;
        std::string message = fmt::format("unknown field \"{}\" of {} is ignored", name, what_);
        if (const auto meant = did_you_mean(name, names)) {
            message += fmt::format(": did you mean \"{}\"?", *meant);
        }
        loader_.findings().warn(at_.member(name, member.value).place(), "UnknownField",
                                std::move(message));
    }
}

}  // namespace atelier::reconcilers
