#include "drivers/trees/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

#include "base/text.h"

namespace atelier::drivers {

namespace {

constexpr std::size_t piece = std::size_t{64} << 10;

struct EntryFree {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
using Entry = std::unique_ptr<archive_entry, EntryFree>;

struct WriteFree {
    void operator()(archive* a) const { archive_write_free(a); }
};
struct ReadFree {
    void operator()(archive* a) const { archive_read_free(a); }
};

std::string library_text(archive* a) {
    const char* text = archive_error_string(a);
    return text ? text : "";
}

Error cannot_write(archive* a) {
    return {Code::internal, "the archive cannot be written", library_text(a)};
}

// "a/b/c" -> "a", "a/b".
void add_parents(std::string_view path, std::set<std::string, std::less<>>& folders) {
    for (std::size_t at = path.find('/'); at != std::string_view::npos;
         at = path.find('/', at + 1)) {
        folders.emplace(path.substr(0, at));
    }
}

}  // namespace

// --- writing -------------------------------------------------------------------------------

struct TarStream::State {
    State(const Tree& a_tree, std::string_view a_prefix, const TarOwner& an_owner)
        : tree(a_tree), prefix(a_prefix), owner(an_owner), next(a_tree.begin()) {}

    const Tree& tree;
    std::string prefix;
    TarOwner owner;
    std::string out;  // made and not yet read
    std::size_t taken = 0;
    std::unique_ptr<archive, WriteFree> writer;
    std::vector<std::string> folders;
    std::size_t next_folder = 0;
    Tree::const_iterator next;
    const File* open = nullptr;  // its header is written, its bytes from `offset` are not
    std::size_t offset = 0;
    bool ended = false;

    std::string whole(const std::string& path) const {
        return prefix.empty() ? path : prefix + "/" + path;
    }
    Result<void> begin();
    Result<void> step();
    Result<void> header(const std::string& path, unsigned type, unsigned mode, std::size_t size,
                        const std::string* target);
};

Result<void> TarStream::State::begin() {
    if (!prefix.empty() && !is_safe_relative_path(prefix)) {
        return Error{Code::invalid, "folder \"" + prefix + "\" may not be in an archive"};
    }
    std::set<std::string, std::less<>> all;
    if (!prefix.empty()) {
        add_parents(prefix, all);
        all.insert(prefix);
    }
    for (const auto& [path, file] : tree) {
        if (!is_safe_relative_path(path)) {
            return Error{Code::invalid, "path \"" + path + "\" may not be in an archive"};
        }
        add_parents(whole(path), all);
    }
    folders.assign(all.begin(), all.end());

    writer.reset(archive_write_new());
    if (!writer) return Error{Code::exhausted, "no memory for an archive"};
    archive_write_set_format_pax_restricted(writer.get());
    // Names are written as the bytes that they are, whatever the locale of this process.
    archive_write_set_options(writer.get(), "hdrcharset=BINARY");
    archive_write_set_bytes_per_block(writer.get(), 0);
    archive_write_set_bytes_in_last_block(writer.get(), 1);
    const auto append = [](archive*, void* self, const void* bytes, std::size_t size) {
        static_cast<State*>(self)->out.append(static_cast<const char*>(bytes), size);
        return static_cast<la_ssize_t>(size);
    };
    if (archive_write_open(writer.get(), this, nullptr, append, nullptr) != ARCHIVE_OK) {
        return cannot_write(writer.get());
    }
    return {};
}

Result<void> TarStream::State::header(const std::string& path, unsigned type, unsigned mode,
                                      std::size_t size, const std::string* target) {
    const Entry entry(archive_entry_new());
    if (!entry) return Error{Code::exhausted, "no memory for an archive"};
    archive_entry_set_pathname(entry.get(), path.c_str());
    archive_entry_set_filetype(entry.get(), type);
    archive_entry_set_perm(entry.get(), static_cast<mode_t>(mode));
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
    archive_entry_set_uid(entry.get(), owner.uid);
    archive_entry_set_gid(entry.get(), owner.gid);
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(owner.modified.time_since_epoch());
    archive_entry_set_mtime(entry.get(), static_cast<time_t>(seconds.count()), 0);
    if (target) archive_entry_set_symlink(entry.get(), target->c_str());
    if (archive_write_header(writer.get(), entry.get()) < ARCHIVE_WARN) {
        return cannot_write(writer.get());
    }
    return {};
}

// Makes the next few bytes: a header, a piece of a file, or the end.
Result<void> TarStream::State::step() {
    if (!writer) return begin();
    if (next_folder < folders.size()) {
        return header(folders[next_folder++] + "/", AE_IFDIR, 0755, 0, nullptr);
    }
    if (open) {
        const std::size_t size = std::min(piece, open->bytes.size() - offset);
        if (archive_write_data(writer.get(), open->bytes.data() + offset, size) !=
            static_cast<la_ssize_t>(size)) {
            return cannot_write(writer.get());
        }
        offset += size;
        if (offset == open->bytes.size()) open = nullptr;
        return {};
    }
    if (next != tree.end()) {
        const auto& [path, file] = *next++;
        if (file.kind == File::Kind::symlink) {
            return header(whole(path), AE_IFLNK, 0777, 0, &file.bytes);
        }
        if (!file.bytes.empty()) open = &file;
        offset = 0;
        return header(whole(path), AE_IFREG, file.executable ? 0755 : 0644, file.bytes.size(),
                      nullptr);
    }
    ended = true;
    if (archive_write_close(writer.get()) != ARCHIVE_OK) return cannot_write(writer.get());
    return {};
}

TarStream::TarStream(const Tree& tree, std::string_view prefix, const TarOwner& owner)
    : state_(std::make_unique<State>(
          tree, prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix, owner)) {}

TarStream::~TarStream() = default;

Result<std::size_t> TarStream::read(char* buffer, std::size_t size) {
    State& s = *state_;
    while (s.taken == s.out.size() && !s.ended) {
        s.out.clear();
        s.taken = 0;
        TRY(s.step());
    }
    const std::size_t given = std::min(size, s.out.size() - s.taken);
    std::memcpy(buffer, s.out.data() + s.taken, given);
    s.taken += given;
    return given;
}

Result<std::string> write_tar(const Tree& tree, std::string_view prefix, const TarOwner& owner) {
    TarStream stream(tree, prefix, owner);
    std::string all;
    std::vector<char> buffer(piece);
    for (;;) {
        const std::size_t size = TRY(stream.read(buffer.data(), buffer.size()));
        if (size == 0) return all;
        all.append(buffer.data(), size);
    }
}

// --- reading -------------------------------------------------------------------------------

namespace {

Error refused(std::string_view name, std::string_view why) {
    return {Code::invalid, "archive entry \"" + std::string(name) + "\" " + std::string(why)};
}

// Whether a link at `path` leads to something below the root of the tree, by its text alone.
bool stays_inside(std::string_view path, std::string_view target) {
    if (target.empty() || target.front() == '/') return false;
    std::ptrdiff_t depth = std::count(path.begin(), path.end(), '/');
    for (const std::string& segment : split(target, '/')) {
        if (segment == "..") {
            if (--depth < 0) return false;
        } else if (!segment.empty() && segment != ".") {
            ++depth;
        }
    }
    return true;
}

// The path as a Tree has it; empty for the root itself.
Result<std::string> clean_path(archive_entry* entry) {
    const char* raw = archive_entry_pathname(entry);
    if (!raw) raw = archive_entry_pathname_utf8(entry);
    if (!raw) return Error{Code::invalid, "an archive entry has no readable name"};
    std::string_view path = raw;
    while (path.starts_with("./")) path.remove_prefix(2);
    while (path.ends_with('/')) path.remove_suffix(1);
    if (path.empty() || path == ".") {
        if (*raw == '/') return refused(raw, "has an absolute path");
        return std::string();
    }
    if (!is_valid_utf8(path)) {
        return Error{Code::invalid, "the name of an archive entry is not UTF-8"};
    }
    if (!is_safe_relative_path(path)) return refused(path, "leads outside");
    return std::string(path);
}

Result<std::string> read_bytes(archive* reader, std::string_view path, la_int64_t declared,
                               std::int64_t room) {
    const Error too_large{
        Code::too_large,
        "the archive unpacks to more than is allowed, at entry \"" + std::string(path) + "\""};
    if (declared > room) return too_large;
    std::string bytes;
    bytes.reserve(static_cast<std::size_t>(std::max<la_int64_t>(declared, 0)));
    std::vector<char> buffer(piece);
    for (;;) {
        const la_ssize_t size = archive_read_data(reader, buffer.data(), buffer.size());
        if (size == 0) return bytes;
        if (size < 0) {
            return Error{Code::invalid,
                         "the archive is damaged at entry \"" + std::string(path) + "\"",
                         library_text(reader)};
        }
        bytes.append(buffer.data(), static_cast<std::size_t>(size));
        if (static_cast<std::int64_t>(bytes.size()) > room) return too_large;
    }
}

Result<void> add_entry(archive* reader, archive_entry* entry, const std::string& path,
                       std::int64_t room, Tree& tree) {
    if (archive_entry_hardlink(entry)) return refused(path, "is a hard link");
    const auto type = archive_entry_filetype(entry);
    if (type == AE_IFLNK) {
        const char* target = archive_entry_symlink(entry);
        if (!target || !stays_inside(path, target)) {
            return refused(path, "is a link that leads outside");
        }
        tree[path] = {File::Kind::symlink, false, target};
        return {};
    }
    if (type != AE_IFREG) return refused(path, "is neither file, folder nor link");
    File file;
    file.executable = (archive_entry_perm(entry) & 0111) != 0;
    file.bytes = TRY(read_bytes(reader, path, archive_entry_size(entry), room));
    tree[path] = std::move(file);
    return {};
}

// No path of a tree may go through a file or a link of the same tree.
Result<void> check_parents(const Tree& tree, const std::set<std::string, std::less<>>& folders) {
    for (const std::string& folder : folders) {
        if (tree.contains(folder)) return refused(folder, "is a folder and something else too");
    }
    return {};
}

Result<void> open_reader(archive* reader, std::string_view bytes) {
    archive_read_support_format_tar(reader);
    archive_read_support_filter_gzip(reader);
    if (archive_read_open_memory(reader, bytes.data(), bytes.size()) != ARCHIVE_OK) {
        return Error{Code::invalid, "this is not a tar archive", library_text(reader)};
    }
    return {};
}

}  // namespace

Result<Tree> read_tar(std::string_view bytes, const ArchiveLimits& limits) {
    const std::unique_ptr<archive, ReadFree> reader(archive_read_new());
    if (!reader) return Error{Code::exhausted, "no memory for an archive"};
    TRY(open_reader(reader.get(), bytes));
    Tree tree;
    std::set<std::string, std::less<>> folders;
    std::int64_t room = limits.bytes;
    for (std::int64_t entries = 0;; ++entries) {
        archive_entry* entry = nullptr;
        const int code = archive_read_next_header(reader.get(), &entry);
        if (code == ARCHIVE_EOF) break;
        if (code < ARCHIVE_WARN) {
            return Error{Code::invalid, "the archive is damaged", library_text(reader.get())};
        }
        if (entries == limits.entries) {
            return Error{Code::too_large, "the archive has more entries than are allowed"};
        }
        const std::string path = TRY(clean_path(entry));
        if (archive_entry_filetype(entry) == AE_IFDIR) {
            if (!path.empty()) folders.insert(path);
            continue;
        }
        if (path.empty()) return refused(".", "is not a folder");
        TRY(add_entry(reader.get(), entry, path, room, tree));
        add_parents(path, folders);
        const File& file = tree.at(path);
        if (file.kind == File::Kind::regular) room -= static_cast<std::int64_t>(file.bytes.size());
    }
    TRY(check_parents(tree, folders));
    return tree;
}

}  // namespace atelier::drivers
