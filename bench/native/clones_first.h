#pragma once

#include <atomic>
#include <filesystem>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "engine/shadow_provider.h"
#include "shadow/reflink_provider.h"

namespace bench {

using namespace domino_vss;
using namespace domino_vss::engine;

/// What the reflink provider is compared with: every database is cloned before the first one leaves backup mode. The
/// same files are made beforehand and as many threads clone.
class ClonesFirst final : public ShadowProvider {
public:
    ClonesFirst(std::vector<domino_vss::shadow::SessionVolume> volumes, std::size_t threads)
        : clones_(std::move(volumes)), threads_(threads) {}

    [[nodiscard]] CaptureScope scope() const noexcept override { return CaptureScope::set; }
    void prepare(std::span<const DatabaseSpec> databases, const Limits& limits) override {
        databases_.assign(databases.begin(), databases.end());
        for (const DatabaseSpec& database : databases_) sizes_.push_back(std::filesystem::file_size(database.file));
        clones_.prepare(databases, limits);
    }
    void commit(const Limits& /*limits*/) override {
        std::atomic<std::size_t> next = 0;
        std::atomic<bool> failed = false;
        {
            std::vector<std::jthread> threads;
            for (std::size_t i = 0; i < threads_; ++i)
                threads.emplace_back([&] {
                    for (std::size_t at = next++; at < databases_.size(); at = next++)
                        if (!domino_vss::shadow::cloneFile(databases_[at], sizes_[at]).ok()) failed = true;
                });
        }
        if (failed) throw Failure(code::kShadow, Phase::shadow, "a clone failed");
    }
    void remove() override { clones_.remove(); }

private:
    domino_vss::shadow::ReflinkProvider clones_;
    std::size_t threads_;
    std::vector<DatabaseSpec> databases_;
    std::vector<std::uintmax_t> sizes_;
};

}  // namespace bench
