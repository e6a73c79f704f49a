#include "drivers/process/record.h"

#include <algorithm>
#include <filesystem>

#include "drivers/runtime_names.h"

namespace atelier::drivers {

namespace {

using Phase = ProcessRecord::Phase;

std::optional<Instant> instant_of(std::int64_t micros_since_1970) {
    if (micros_since_1970 == 0) return std::nullopt;
    return Instant(Duration(micros_since_1970));
}

Result<void> check_spec(const UnitSpec& spec) {
    TRY(check_runtime_name("unit", spec.name));
    if (spec.command.empty() || spec.command[0].empty()) {
        return Error{Code::invalid, "unit \"" + spec.name +
                                        "\" names no command, and a process has no image to "
                                        "take one from"};
    }
    if (!spec.network.empty()) {
        return Error{Code::unsupported, "units that are processes have no network of their own"};
    }
    for (const auto& [name, value] : spec.env) {
        if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos ||
            value.find('\0') != std::string::npos) {
            return Error{Code::invalid, "\"" + name + "\" cannot name an environment variable"};
        }
    }
    std::error_code ignored;
    for (const Mount& mount : spec.mounts) {
        const std::string target = TRY(plain_folder(mount.target));
        if (target == "/") return Error{Code::invalid, "a mount may not be the root itself"};
        if (mount.kind == Mount::Kind::volume) {
            TRY(check_runtime_name("volume", mount.source));
        } else if (mount.kind == Mount::Kind::host &&
                   !std::filesystem::is_directory(mount.source, ignored)) {
            return Error{Code::invalid, "the host folder for \"" + target + "\" is not there",
                         mount.source};
        }
    }
    return {};
}

}  // namespace

Result<ProcessRecord> record_of(const UnitSpec& spec, const std::string& id) {
    TRY(check_spec(spec));
    ProcessRecord record;
    record.id = id;
    record.name = spec.name;
    record.image = spec.image;
    record.command = spec.command;
    record.env = spec.env;
    record.labels = spec.labels;
    for (const Mount& mount : spec.mounts) {
        const std::string target = TRY(plain_folder(mount.target));
        record.mounts.push_back({mount.kind, mount.source, target, mount.read_only});
    }
    return record;
}

std::vector<Mount> mounts_of(const ProcessRecord& record) {
    std::vector<Mount> mounts;
    for (const auto& where : record.mounts) {
        mounts.push_back({where.kind, where.source, where.target, where.read_only});
    }
    return mounts;
}

Unit unit_of(const ProcessRecord& record) {
    Unit unit;
    unit.id = record.id;
    unit.name = record.name;
    unit.labels = record.labels;
    unit.image_id = record.image;
    unit.image = record.image;
    unit.mounts = mounts_of(record);
    std::sort(unit.mounts.begin(), unit.mounts.end(),
              [](const Mount& a, const Mount& b) { return a.target < b.target; });
    unit.exit_code = record.exit_code;
    unit.started_at = instant_of(record.started_at);
    unit.finished_at = instant_of(record.finished_at);
    switch (record.phase) {
        case Phase::created:
        case Phase::starting:
            unit.state = Unit::State::created;
            break;
        case Phase::running:
            unit.state = Unit::State::running;
            break;
        case Phase::exited:
            unit.state = Unit::State::exited;
            break;
    }
    return unit;
}

}  // namespace atelier::drivers
