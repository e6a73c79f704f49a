#include "templates/document.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace atelier::templates {
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
    for (const Chain* at = &innermost; at; at = at->from.get()) {
        paths.push_back(at->mount->shown(at->path));
    }
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

// What the parser says of `file` begins with where: "<file>:<line>:<column>: ".
std::pair<Place, std::string> place_and_message(const std::string& file, std::string_view text) {
    Place place{file, {}};
    std::string_view rest = text;
    if (!rest.starts_with(file + ":")) return {place, std::string(text)};
    rest.remove_prefix(file.size() + 1);
    for (int* number : {&place.position.line, &place.position.column}) {
        const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), *number);
        if (error != std::errc()) break;
        rest.remove_prefix(static_cast<std::size_t>(end - rest.data()) + 1);
    }
    return {place, std::string(trim(rest))};
}

std::string_view reason_of_external(Code code) {
    switch (code) {
        case Code::not_found:
            return "ExternalNotFound";
        case Code::unauthenticated:
        case Code::forbidden:
            return "ExternalAccessDenied";
        case Code::too_large:
            return "ExternalTooLarge";
        case Code::unsupported:
        case Code::invalid:
            return "ExternalUnsupported";
        default:
            return "ExternalFetchFailed";
    }
}

bool passes_by_itself(Code code) {
    return reason_of_external(code) == "ExternalFetchFailed";
}

}  // namespace

std::string Mount::shown(const std::string& path) const {
    return label.empty() ? path : label + ":" + path;
}

Place Cursor::place() const {
    return {file->mount->shown(file->path), file->document.position_of(pointer)};
}

std::string Cursor::place_with_includes() const {
    std::string text = place().text();
    for (const Chain* at = chain.get(); at && at->from; at = at->from.get()) {
        text += ", included at " + at->referrer.text();
    }
    return text;
}

Cursor Cursor::member(std::string_view name, const json::Value& of) const {
    return {file, &of, pointer + "/" + crds::escape_pointer(name), chain};
}

Cursor Cursor::element(std::size_t index) const {
    return {file, &(*value)[static_cast<rapidjson::SizeType>(index)],
            pointer + "/" + std::to_string(index), chain};
}

std::optional<Cursor> Loader::open(const std::string& path) {
    const YamlFile* file = load(root_, path, {path, {}});
    if (!file) return std::nullopt;
    return Cursor{file, &file->document.value, "",
                  std::make_shared<Chain>(Chain{&root_, path, 0, 0, {}, nullptr})};
}

std::optional<Cursor> Loader::resolve(Cursor at) {
    while (!findings_.full()) {
        if (at.value->IsNull()) return std::nullopt;
        const auto tag = tag_of(*at.value);
        if (!tag) return at;
        std::optional<Cursor> target;
        if (tag->first == "!include") {
            target = include(at, *tag->second);
        } else if (tag->first == "!external") {
            target = external(at, *tag->second);
        } else {
            findings_.error(at.place(), "UnknownTag",
                            fmt::format("unknown tag {}: only !include and !external are known; a "
                                        "text that begins with '!' needs quotes",
                                        tag->first));
        }
        if (!target) return std::nullopt;
        at = std::move(*target);
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
    return enter(at, *at.file->mount, *path, "include");
}

std::optional<Cursor> Loader::external(const Cursor& at, const json::Value& argument) {
    const Place place = at.place();
    if (!argument.IsObject()) {
        findings_.error(place, "ExternalInvalid", "!external needs repo, ref and path");
        return std::nullopt;
    }
    const auto target = external_target(at, argument);
    if (!target) return std::nullopt;
    if (at.chain->externals >= limits_.external_depth) {
        findings_.error(
            place, "ExternalDepth",
            fmt::format("externals are nested deeper than {}: {}", limits_.external_depth,
                        chain_text(*at.chain, target->label + ":" + target->path)));
        return std::nullopt;
    }
    const auto tree = externals_.open(*target);
    if (!tree) {
        may_pass_ = may_pass_ || passes_by_itself(tree.error().code);
        findings_.error(place, reason_of_external(tree.error().code),
                        fmt::format("!external {}: {}", target->label, tree.error().message));
        return std::nullopt;
    }
    if (!*tree) {
        left_out_ = true;
        findings_.warn(place, "ExternalNotFetched",
                       fmt::format("!external {}:{} is not fetched and not checked: `atelier "
                                   "validate` can read a folder "
                                   "in its place, with --external OWNER/NAME=FOLDER",
                                   target->label, target->path));
        return std::nullopt;
    }
    for (const Finding& warning : (*tree)->warnings) {
        findings_.warn(place, warning.reason,
                       fmt::format("!external {}: {}", target->label, text_of(warning)));
    }
    return enter(at, mount_of(*target, **tree), target->path, "external");
}

std::optional<ExternalTarget> Loader::external_target(const Cursor& at,
                                                      const json::Value& argument) {
    Cursor inner = at;
    inner.pointer += "/!external";
    inner.value = &argument;
    Mapping fields(*this, inner, "!external");
    const ExternalRequest request{.repo = fields.text("repo"),
                                  .ref = fields.text("ref"),
                                  .path = fields.text("path"),
                                  .url = fields.text("url")};
    fields.warn_unknown();
    auto target = externals_.check(request);
    if (target) return std::move(*target);
    const Code code = target.error().code;
    findings_.error(at.place(),
                    code == Code::forbidden     ? "ExternalNotAllowed"
                    : code == Code::unsupported ? "ExternalEscape"
                                                : "ExternalInvalid",
                    fmt::format("!external: {}", target.error().message));
    return std::nullopt;
}

const Mount& Loader::mount_of(const ExternalTarget& target, ExternalTree& tree) {
    const auto [mount, fresh] = mounts_.try_emplace(
        tree.identity,
        Mount{.identity = tree.identity, .label = target.label, .files = tree.files.get()});
    return mount->second;
}

std::optional<Cursor> Loader::enter(const Cursor& at, const Mount& mount, const std::string& path,
                                    std::string_view kind) {
    const Place place = at.place();
    for (const Chain* up = at.chain.get(); up; up = up->from.get()) {
        if (up->mount != &mount || up->path != path) continue;
        findings_.error(
            place, "IncludeCycle",
            fmt::format("{} cycle: {}", kind, chain_text(*at.chain, mount.shown(path))));
        return std::nullopt;
    }
    Chain next{&mount, path, at.chain->includes, at.chain->externals, place, at.chain};
    ++(kind == "include" ? next.includes : next.externals);
    if (next.includes > limits_.include_depth) {
        findings_.error(place, "IncludeDepth",
                        fmt::format("includes are nested deeper than {}: {}", limits_.include_depth,
                                    chain_text(*at.chain, mount.shown(path))));
        return std::nullopt;
    }
    if (++includes_ > limits_.includes) {
        findings_.error(place, "TooManyIncludes",
                        fmt::format("more than {} includes", limits_.includes));
        return std::nullopt;
    }
    const YamlFile* file = load(mount, path, place);
    if (!file) return std::nullopt;
    return Cursor{file, &file->document.value, "", std::make_shared<Chain>(std::move(next))};
}

const YamlFile* Loader::load(const Mount& mount, const std::string& path, const Place& referrer) {
    const std::pair key(mount.identity, path);
    if (const auto known = loaded_.find(key); known != loaded_.end()) {
        if (!known->second) {
            findings_.error(
                referrer, "IncludeMissing",
                fmt::format("{} cannot be used: see the error before", mount.shown(path)));
        }
        return known->second.get();
    }
    loaded_[key] = nullptr;
    const auto text = read_visible(*mount.files, path);
    if (!text) {
        const bool no_root =
            &mount == &root_ && path == "org.yaml" && text.error().code == Code::not_found;
        const bool other_name = no_root && read_visible(*mount.files, "org.yml");
        findings_.error(referrer, no_root ? "TemplateMissing" : reason_of_unreadable(text.error()),
                        fmt::format("cannot read {}: {}{}", mount.shown(path), text.error().message,
                                    other_name ? "; there is an org.yml: name it org.yaml" : ""));
        return nullptr;
    }
    return parse(mount, path, *text, referrer);
}

const YamlFile* Loader::parse(const Mount& mount, const std::string& path, const std::string& text,
                              const Place& referrer) {
    bytes_ += static_cast<std::int64_t>(text.size());
    if (bytes_ > limits_.yaml_bytes) {
        findings_.error(
            referrer, "TemplateTooLarge",
            fmt::format("the template has more than {} bytes of YAML", limits_.yaml_bytes));
        return nullptr;
    }
    const std::string shown = mount.shown(path);
    auto documents = crds::parse_yaml_tagged(text, shown, {.limits = {}, .keep_tags = true});
    if (!documents) {
        auto [place, message] = place_and_message(shown, documents.error().message);
        findings_.error(place, "InvalidYaml", std::move(message));
        return nullptr;
    }
    if (documents->empty()) {
        findings_.error({shown, {}}, "InvalidYaml", "the file is empty");
        return nullptr;
    }
    if (documents->size() > 1) {
        findings_.error(
            {shown, (*documents)[1].position_of("")}, "InvalidYaml",
            fmt::format("the file has {} documents, and one is expected", documents->size()));
        return nullptr;
    }
    auto& slot = loaded_[{mount.identity, path}];
    slot = std::make_unique<YamlFile>(YamlFile{&mount, path, std::move(documents->front())});
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

bool Mapping::has_other_than_text(std::string_view name) const {
    const json::Value* value = at_.value ? json::find(*at_.value, {name}) : nullptr;
    return value && (value->IsNumber() || value->IsBool() || value->IsArray());
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
    return cursor_of(name).place();
}

Cursor Mapping::cursor_of(std::string_view name) const {
    const json::Value* value = at_.value ? json::find(*at_.value, {name}) : nullptr;
    return value ? at_.member(name, *value) : at_;
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

}  // namespace atelier::templates
