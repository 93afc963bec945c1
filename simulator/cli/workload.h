#pragma once
// The users of the server: threads that run transactions on its databases.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <thread>
#include <vector>

#include "database.h"
#include "workload_log.h"

namespace domino_sim::cli {

struct WorkloadOptions {
    std::filesystem::path logDirectory;
    std::string name;  // prefix of the log files; unique per process
    unsigned threads = 1;
    double transactionsPerSecond = 0;  // of all threads together; 0 = as fast as possible
    std::string databaseGlob = "*";
    std::uint64_t seed = 1;
    bool isPaused = false;
};

/** A transaction that is stopped half way: it has written some of its pages and holds its lock. */
class HeldTransaction;

class Workload {
public:
    Workload(Environment& environment, WorkloadOptions options);
    ~Workload();

    /** Returns when no transaction is running. */
    void pause();
    void resume();

    /** Runs exactly `count` transactions on one database, even if paused. Throws StatusError. */
    void run(const std::string& database, std::uint64_t count);

    /** Begins a transaction and writes `pages` of its pages. Throws StatusError or std::runtime_error. */
    void hold(const std::string& database, std::size_t pages);
    void release(const std::string& database);

    /** Closes the databases that the server keeps open after use (SIM_SERVER_CACHE). */
    void flushCache();

    std::uint64_t transactions() const { return transactions_; }
    std::uint64_t refused() const { return refused_; }
    std::size_t databases() const { return databases_.size(); }

private:
    void work(const std::stop_token& stop, unsigned number);
    bool waitForTurn(const std::stop_token& stop, std::int64_t& nextNs) const;
    std::uint64_t nextSeed();
    void keepOpen(std::unique_ptr<Database> database);

    Environment* environment_;
    WorkloadOptions options_;
    std::vector<ResolvedPath> databases_;
    std::shared_mutex running_;  // held shared by each transaction, exclusively by pause()
    std::atomic<bool> isPaused_;
    std::atomic<std::uint64_t> transactions_{0};
    std::atomic<std::uint64_t> refused_{0};
    std::atomic<std::uint64_t> seeds_;
    std::mutex cacheMutex_;
    std::deque<std::unique_ptr<Database>> cache_;  // oldest first
    std::mutex controlMutex_;                      // guards the log of run() and the held transactions
    WorkloadLog controlLog_;
    std::map<std::string, std::unique_ptr<HeldTransaction>> held_;
    std::vector<std::jthread> threads_;  // last, so that they end before the members they use
};

}  // namespace domino_sim::cli
