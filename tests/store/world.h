// What the tests of the store share: places to keep a database, and objects to put there.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/random.h"
#include "store/open.h"

namespace atelier::store {

class ManualClock final : public Clock {
  public:
    Instant now() const override { return Instant(Duration(micros_.load())); }
    void advance(Duration by) { micros_ += by.count(); }

  private:
    std::atomic<std::int64_t> micros_{1'700'000'000'000'000};
};

// A database that a test may open, close and open again.
class Place {
  public:
    virtual ~Place() = default;
    virtual std::string url() const = 0;
    virtual bool survives_reopening() const { return true; }
    // What another program sees: rows with their columns joined by '|', NULL as '-'.
    virtual std::vector<std::string> query(const std::string& sql) = 0;
};
std::unique_ptr<Place> memory_place();
std::unique_ptr<Place> sqlite_place();
// nullptr without ATELIER_TEST_POSTGRES: skip_without_postgres() says so, and ends the test.
std::unique_ptr<Place> postgres_place();
std::unique_ptr<Place> postgres_place_at(const std::string& server);
// One that somebody else made; query() finds nothing there.
std::unique_ptr<Place> place_at(const std::string& url);
std::string test_postgres();
std::string with_schema(const std::string& url, const std::string& schema);
void skip_without_postgres();

// A backend that a suite runs on.
struct Where {
    std::string name;
    std::function<std::shared_ptr<Place>()> make;
    bool commit_inline = false;
    bool overlay = false;  // an Overlay over an empty store
};
void PrintTo(const Where& where, std::ostream* out);
std::string where_name(const testing::TestParamInfo<Where>& info);

// A folder of its own that goes away again.
class Folder {
  public:
    explicit Folder(std::filesystem::path below = std::filesystem::temp_directory_path());
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
};

// A store with its collaborators.
class World {
  public:
    explicit World(std::shared_ptr<Place> place) : place_(std::move(place)) {
        options_.url = place_->url();
        options_.encryption_key = std::string(32, 'k');
    }
    Options& options() { return options_; }
    ManualClock& clock() { return clock_; }
    Metrics& metrics() { return metrics_; }
    Place& place() { return *place_; }

    Result<void> open() {
        store_.reset();
        auto opened = store::open(options_, clock_, random_, metrics_, Log());
        if (!opened) return std::move(opened).error();
        store_ = *std::move(opened);
        return {};
    }
    void close() { store_.reset(); }
    Store& store() { return *store_; }

  private:
    std::shared_ptr<Place> place_;
    Options options_;
    ManualClock clock_;
    SystemRandom random_;
    Metrics metrics_;
    std::unique_ptr<Store> store_;
};

Key workspace(const std::string& name, const std::string& ns = "default");
Key secret(const std::string& name);
crds::Body body_of(const Key& key, const std::string& text,
                   const std::map<std::string, std::string>& labels = {});

Write create(const Key& key, const std::string& text = "first");
Write update(const Key& key, Revision expected, const std::string& text);
Write remove(const Key& key, Revision expected);

// The value, or a test failure that says why not.
template <class T>
T must(Result<T> result) {
    if (!result) {
        ADD_FAILURE() << result.error().message << " / " << result.error().detail;
        throw std::runtime_error(result.error().message);
    }
    return *std::move(result);
}
inline void must(Result<void> result) {
    if (!result) {
        ADD_FAILURE() << result.error().message << " / " << result.error().detail;
        throw std::runtime_error(result.error().message);
    }
}
template <class T>
Code code_of(const Result<T>& result) {
    EXPECT_FALSE(result) << "an error was expected";
    return result ? Code::internal : result.error().code;
}

std::string text_of(const Object& object);  // what create() and update() were given

}  // namespace atelier::store
