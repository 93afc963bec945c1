#pragma once

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/database.h"
#include "engine/deadline.h"
#include "engine/delta_file.h"
#include "engine/session_core.h"
#include "window.h"

namespace bench {

/// How backup programs do it today: on one thread, each database into backup mode, the snapshot, then each database out
/// and its change information fetched before the next one comes out.
class OneByOne {
public:
    OneByOne(DatabaseSource& source, const std::vector<DatabaseSpec>& specs, std::filesystem::path deltaDirectory)
        : deltaDirectory_(std::move(deltaDirectory)) {
        require(source.enterThread(scope_));
        for (const DatabaseSpec& spec : specs) require(source.open(spec, databases_.emplace_back()));
    }

    Window run(std::chrono::milliseconds shadow) {
        std::vector<Times> times(databases_.size());
        for (std::size_t i = 0; i < databases_.size(); ++i) {
            std::uint64_t sizeBytes = 0;
            times[i].startCalledNs = nowNs();
            require(databases_[i]->start(sizeBytes));
            times[i].startReturnedNs = nowNs();
        }
        const std::int64_t shadowBegin = nowNs();
        std::this_thread::sleep_for(shadow);
        const double shadowMs = static_cast<double>(nowNs() - shadowBegin) / 1e6;
        for (std::size_t i = 0; i < databases_.size(); ++i) {
            times[i].stopCalledNs = nowNs();
            require(databases_[i]->stop());
            times[i].stopReturnedNs = nowNs();
            drain(*databases_[i], i);
        }
        return measure(times, shadowMs);
    }

private:
    static void require(const CallStatus& status) {
        if (!status.ok()) throw std::runtime_error(std::string(status.operation) + " failed");
    }

    void drain(Database& database, std::size_t index) {
        std::uint64_t announcedBytes = 0;
        require(database.changeInfoSize(announcedBytes));
        DeltaFile file(deltaDirectory_ / (std::to_string(index) + ".delta"));
        bool opened = false;
        for (;;) {
            std::uint32_t filled = 0;
            require(database.nextChangeInfo(piece_, filled));
            if (filled == 0) break;
            if (!opened) require(file.open());
            opened = true;
            require(file.append(std::span<const char>(piece_).first(filled)));
        }
        if (opened) require(file.finish());
        require(database.end(EndMode::complete));
    }

    std::filesystem::path deltaDirectory_;
    // Order matters: databases are closed before the thread leaves the runtime.
    std::unique_ptr<ThreadScope> scope_;
    std::vector<std::unique_ptr<Database>> databases_;
    std::array<char, kPieceBytes> piece_{};
};

}  // namespace bench
