#include "cli/objects/manifests.h"

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "base/file.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

bool is_manifest(const fs::path& path) {
    const std::string extension = path.extension().string();
    return extension == ".yaml" || extension == ".yml" || extension == ".json";
}

Result<std::vector<fs::path>> files_of(const fs::path& path, bool recursive) {
    std::error_code ec;
    const fs::file_status status = fs::status(path, ec);
    if (!fs::exists(status)) {
        return Error{Code::not_found, "\"" + path.string() + "\" does not exist"};
    }
    if (!fs::is_directory(status)) return std::vector<fs::path>{path};
    std::vector<fs::path> files;
    std::vector<fs::path> folders;
    for (const auto& entry : fs::directory_iterator(path, ec)) {
        if (entry.is_directory()) {
            folders.push_back(entry.path());
        } else if (is_manifest(entry.path())) {
            files.push_back(entry.path());
        }
    }
    if (ec) return Error{Code::forbidden, "\"" + path.string() + "\" cannot be read", ec.message()};
    std::sort(files.begin(), files.end());
    std::sort(folders.begin(), folders.end());
    for (const fs::path& folder : folders) {
        if (!recursive) break;
        for (auto& file : TRY(files_of(folder, true))) files.push_back(std::move(file));
    }
    return files;
}

// "spec.files[0].path" -> "/spec/files/0/path"
std::string pointer_of(std::string_view field) {
    std::string out;
    std::string member;
    const auto end_member = [&] {
        if (!member.empty()) out += "/" + crds::escape_pointer(member);
        member.clear();
    };
    for (const char c : field) {
        if (c == '.' || c == '[' || c == ']') {
            end_member();
        } else {
            member += c;
        }
    }
    end_member();
    return out;
}

void take_document(const std::string& file, crds::YamlDocument document, Manifests& out) {
    const bool is_list = json::string_at(document.value, {"kind"}).ends_with("List") &&
                         json::find(document.value, {"items"});
    if (!is_list) {
        Manifest manifest{file, {}, "", json::copy(document.value)};
        manifest.document = std::move(document);
        out.objects.push_back(std::move(manifest));
        return;
    }
    const json::Value& items = *json::find(document.value, {"items"});
    for (rapidjson::SizeType i = 0; items.IsArray() && i < items.Size(); ++i) {
        Manifest manifest{file, {}, "/items/" + std::to_string(i), json::copy(items[i])};
        manifest.document.positions = document.positions;
        out.objects.push_back(std::move(manifest));
    }
}

void take_text(const std::string& file, std::string_view text, Manifests& out) {
    auto documents = crds::parse_yaml(text, file);
    if (!documents) {
        out.errors.push_back(documents.error());
        return;
    }
    for (auto& document : *documents) take_document(file, std::move(document), out);
}

}  // namespace

std::string Manifest::place(std::string_view field) const {
    const crds::Position position = document.position_of(pointer + pointer_of(field));
    return position.line == 0 ? file : file + ":" + std::to_string(position.line);
}

Result<Manifests> read_manifests(const std::vector<std::string>& paths, bool recursive,
                                 std::istream& standard_input) {
    Manifests out;
    for (const std::string& path : paths) {
        if (path == "-") {
            const std::string text{std::istreambuf_iterator<char>(standard_input), {}};
            take_text("stdin", text, out);
            continue;
        }
        for (const fs::path& file : TRY(files_of(path, recursive))) {
            auto text = read_file(file);
            if (text) {
                take_text(file.string(), *text, out);
            } else {
                out.errors.push_back(text.error().in(file.string()));
            }
        }
    }
    return out;
}

}  // namespace atelier::cli
