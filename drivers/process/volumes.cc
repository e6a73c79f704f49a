#include "drivers/process/volumes.h"

#include "base/field_codec.h"
#include "base/file.h"
#include "base/folder.h"
#include "drivers/process/files.h"
#include "drivers/process/inside.h"
#include "drivers/process/record.h"
#include "drivers/runtime_names.h"

namespace atelier::drivers {

namespace {

namespace fs = std::filesystem;

struct VolumeRecord {
    Labels labels;

    template <class Self, class V>
    static void fields(Self& self, V& v) {
        v("labels", self.labels);
    }
};

Result<Labels> volume_labels(const ProcessOptions& options, const std::string& name) {
    const Descriptor folder = TRY(open_folder(volume_folder(options, name).string()));
    const FolderFile file = TRY(read_file_at(folder, "volume.json", most_record_bytes));
    const json::Document document = TRY(json::parse(file.bytes));
    return TRY(json::read<VolumeRecord>(document)).labels;
}

}  // namespace

Result<void> ensure_volume(const ProcessOptions& options, const std::string& name,
                           const Labels& labels) {
    TRY(check_runtime_name("volume", name));
    auto there = volume_labels(options, name);
    if (there) {
        if (!has_all(*there, labels)) return not_ours("volume", name);
        return {};
    }
    if (there.error().code != Code::not_found) return std::move(there).error();
    return make_volume(options, name, labels);
}

Result<void> make_volume(const ProcessOptions& options, const std::string& name,
                         const Labels& labels) {
    std::error_code ignored;
    if (fs::exists(volume_folder(options, name) / "volume.json", ignored)) return {};
    TRY(make_directories(volume_folder(options, name) / "data"));
    const json::Document document = json::document_of(VolumeRecord{labels});
    return write_file_atomically(volume_folder(options, name) / "volume.json", json::text(document),
                                 0600);
}

Result<std::vector<Volume>> list_volumes(const ProcessOptions& options, const Labels& having) {
    std::vector<Volume> found;
    for (const fs::path& folder : folders_in(options.root / "volumes")) {
        const std::string name = folder.filename();
        auto labels = volume_labels(options, name);
        if (!labels && labels.error().code == Code::not_found) continue;  // half made
        if (!labels) return std::move(labels).error();
        if (has_all(*labels, having)) found.push_back({name, std::move(*labels)});
    }
    return found;
}

}  // namespace atelier::drivers
