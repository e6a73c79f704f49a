#include "store/memory_backend.h"

#include <map>

namespace atelier::store {
namespace {

class MemoryBackend final : public Backend {
  public:
    Result<Marks> marks() override { return Marks{newest_, newest_}; }
    Result<void> read_objects(const std::function<Result<void>(StoredObject&&)>&) override {
        return {};
    }
    Result<void> read_log(Revision, const std::function<Result<void>(StoredEntry&&)>&) override {
        return {};
    }
    Result<Outcome> commit(const Batch& batch) override {
        if (batch.base != newest_) return Outcome::overtaken;
        newest_ += static_cast<Revision>(batch.log.size());
        return Outcome::committed;
    }
    Result<std::size_t> trim(Revision, std::size_t) override { return std::size_t{0}; }
    Result<std::string> meta(std::string_view name) override {
        const auto it = meta_.find(name);
        return it == meta_.end() ? std::string() : it->second;
    }
    Result<void> set_meta(std::string_view name, std::string_view value) override {
        meta_.insert_or_assign(std::string(name), std::string(value));
        return {};
    }
    Result<std::size_t> reseal(const Reseal&, std::string_view) override { return std::size_t{0}; }
    Result<void> ping() override { return {}; }
    Result<void> probe() override { return {}; }

  private:
    Revision newest_ = 0;
    std::map<std::string, std::string, std::less<>> meta_;
};

}  // namespace

std::unique_ptr<Backend> memory_backend() {
    return std::make_unique<MemoryBackend>();
}

}  // namespace atelier::store
