// Proves whether a database file is consistent at one point of the workload's log, or torn.

#include <array>
#include <atomic>
#include <climits>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <map>
#include <optional>
#include <thread>
#include <unordered_map>

#include "arguments.h"
#include "commands.h"
#include "json.h"
#include "timedate.h"
#include "utf8_path.h"
#include "workload_log.h"

namespace domino_sim::cli {

namespace {

constexpr std::size_t kDifferencesReported = 8;
constexpr std::uint32_t kPagesAtOnce = 256;

/** The transactions of all writers, linked to their predecessors. */
class History {
public:
    explicit History(const std::string& directory) {
        readWorkloadLogs(pathOf(directory), [this](WorkloadRecord&& record) { records_.push_back(std::move(record)); });
        for (const WorkloadRecord& record : records_) {
            byChain_.emplace(record.chain, &record);
            byParent_.emplace(record.parentChain, &record);
        }
    }

    const WorkloadRecord* find(std::uint64_t chain) const {
        const auto found = byChain_.find(chain);
        return found == byChain_.end() ? nullptr : found->second;
    }

    /** Visits the transactions that follow this state in any history. */
    void forEachLater(std::uint64_t chain, const std::function<void(const WorkloadRecord&)>& visit) const {
        std::vector<std::uint64_t> waiting{chain};
        while (!waiting.empty()) {
            const auto [begin, end] = byParent_.equal_range(waiting.back());
            waiting.pop_back();
            for (auto child = begin; child != end; ++child) {
                visit(*child->second);
                waiting.push_back(child->second->chain);
            }
        }
    }

private:
    std::vector<WorkloadRecord> records_;
    std::unordered_map<std::uint64_t, const WorkloadRecord*> byChain_;
    std::unordered_multimap<std::uint64_t, const WorkloadRecord*> byParent_;
};

struct Demands {
    std::optional<std::uint64_t> sequence;
    std::optional<std::int64_t> notBeforeNs;  // contains every transaction that ended before
    std::optional<std::int64_t> notAfterNs;   // contains no transaction that began later
};

struct Difference {
    std::uint32_t page;
    std::uint64_t expectedSequence;
    std::uint64_t foundSequence;
};

struct Verdict {
    std::string verdict = "consistent";
    std::string problem;
    std::optional<HeaderPage> header;
    SuperblockState state;
    std::vector<Difference> differences;
    std::size_t differenceCount = 0;

    void fail(const std::string& kind, const std::string& why) {
        if (verdict == "consistent") {
            verdict = kind;
            problem = why;
        }
    }
};

struct PageSource {
    std::uint64_t sequence;
    std::uint64_t seed;
};

/** Determines the origin of every page by walking back through the history to the initial state. */
std::optional<std::vector<PageSource>> sourcesOf(const History& history, const SuperblockState& state,
                                                 Verdict& verdict) {
    std::vector<PageSource> sources(state.pageCount, {ULLONG_MAX, 0});
    std::uint64_t chain = state.chain;
    for (std::uint64_t sequence = state.sequence; sequence > 0; --sequence) {
        const WorkloadRecord* record = history.find(chain);
        if (record == nullptr || record->sequence != sequence || record->databaseId != state.databaseId) {
            verdict.fail("torn", "sequence " + std::to_string(sequence) + " is not in the workload's log");
            return std::nullopt;
        }
        const bool isLast = sequence == state.sequence;
        if (isLast && (record->seed != state.seed || record->pageCount != state.pageCount ||
                       record->committed != state.committed)) {
            verdict.fail("torn", "the superblock differs from the workload's log");
            return std::nullopt;
        }
        for (const std::uint32_t page : record->pages) {
            if (page < sources.size() && sources[page].sequence == ULLONG_MAX) {
                sources[page] = {record->sequence, record->seed};
            }
        }
        chain = record->parentChain;
    }
    if (chain != initialChain(state.databaseId, state.initialSeed, state.initialPageCount)) {
        verdict.fail("torn", "the initial state does not lead to this history");
        return std::nullopt;
    }
    for (PageSource& source : sources) {
        if (source.sequence == ULLONG_MAX) {
            source = {0, state.initialSeed};
        }
    }
    return sources;
}

void comparePages(const platform::File& file, const SuperblockState& state, const std::vector<PageSource>& sources,
                  Verdict& verdict) {
    std::vector<DataPage> found(kPagesAtOnce);
    for (std::uint32_t first = kSuperblockPage; first < state.pageCount; first += kPagesAtOnce) {
        const std::uint32_t count = std::min(kPagesAtOnce, state.pageCount - first);
        const auto bytes = std::as_writable_bytes(std::span(found).first(count));
        if (file.readAt(static_cast<std::uint64_t>(first) * kPageBytes, bytes) != bytes.size()) {
            verdict.fail("torn", "the file is shorter than its pages");
            return;
        }
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::uint32_t number = first + i;
            DataPage expected;
            if (number == kSuperblockPage) {
                Superblock superblock;
                fillSuperblock(superblock, state);
                std::memcpy(&expected, &superblock, sizeof expected);
            } else {
                fillDataPage(expected, state.databaseId, number, sources[number].sequence, sources[number].seed);
            }
            if (std::memcmp(&expected, &found[i], kPageBytes) != 0) {
                ++verdict.differenceCount;
                if (verdict.differences.size() < kDifferencesReported) {
                    verdict.differences.push_back({number, expected.head.sequence, found[i].head.sequence});
                }
            }
        }
    }
    if (verdict.differenceCount != 0) {
        verdict.fail("torn", std::to_string(verdict.differenceCount) + " pages differ");
    }
}

void checkTimes(const History& history, const Demands& demands, Verdict& verdict) {
    const SuperblockState& state = verdict.state;
    if (demands.sequence && *demands.sequence != state.sequence) {
        verdict.fail("wrong-time", "sequence " + std::to_string(*demands.sequence) + " was expected");
    }
    if (demands.notBeforeNs) {
        history.forEachLater(state.chain, [&](const WorkloadRecord& record) {
            if (record.endNs != 0 && record.endNs < *demands.notBeforeNs) {
                verdict.fail("wrong-time", "transaction " + std::to_string(record.sequence) +
                                               " ended before the time and is missing");
            }
        });
    }
    if (demands.notAfterNs) {
        std::uint64_t chain = state.chain;
        for (const WorkloadRecord* record = history.find(chain); record != nullptr; record = history.find(chain)) {
            if (record->beginNs > *demands.notAfterNs) {
                verdict.fail("wrong-time", "transaction " + std::to_string(record->sequence) +
                                               " began after the time and is contained");
            }
            chain = record->parentChain;
        }
    }
}

Verdict verifyFile(const History& history, const Demands& demands, const std::string& path) {
    Verdict verdict;
    try {
        const platform::File file(path, platform::FileMode::read);
        HeaderPage header{};
        if (file.readAt(0, bytesOf(header)) != kPageBytes || !isNsf(header)) {
            verdict.fail("unreadable", "not a database");
            return verdict;
        }
        verdict.header = header;
        if (!isIntact(header)) {
            verdict.fail("torn", "the header page has a wrong checksum");
            return verdict;
        }
        Superblock superblock{};
        const std::size_t got = file.readAt(kPageBytes, bytesOf(superblock));
        verdict.state = stateOf(superblock);
        if (got != kPageBytes || !isIntact(superblock)) {
            verdict.fail("torn", "the superblock has a wrong checksum");
            return verdict;
        }
        if (header.databaseId != verdict.state.databaseId) {
            verdict.fail("torn", "header and superblock belong to different databases");
            return verdict;
        }
        if (file.sizeBytes() != static_cast<std::uint64_t>(verdict.state.pageCount) * kPageBytes) {
            verdict.fail("torn",
                         "the file's size is not that of its " + std::to_string(verdict.state.pageCount) + " pages");
        }
        if (const auto sources = sourcesOf(history, verdict.state, verdict)) {
            comparePages(file, verdict.state, *sources, verdict);
        }
        checkTimes(history, demands, verdict);
    } catch (const std::system_error& error) {
        verdict.fail("unreadable", error.what());
    }
    return verdict;
}

std::string chainText(std::uint64_t chain) {
    std::array<char, 17> text{};
    std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(chain));
    return text.data();
}

std::string jsonOf(const std::string& path, const Verdict& verdict) {
    Json json = Json::object().add("file", path).add("verdict", verdict.verdict);
    if (!verdict.problem.empty()) {
        json.add("problem", verdict.problem);
    }
    if (verdict.header) {
        const HeaderPage& header = *verdict.header;
        json.add("databaseId", idText(header.databaseId))
            .add("replicaId", idText(header.replicaId))
            .add("instanceId", idText(header.instanceId))
            .add("isLogged", (header.flags & kHeaderLogged) != 0)
            .add("hasBackupMarker", header.backupId != 0)
            .add("sequence", verdict.state.sequence)
            .add("pages", verdict.state.pageCount)
            .add("chain", chainText(verdict.state.chain));
        if (verdict.state.sequence != 0) {
            json.add("committed", isoText(verdict.state.committed));
        }
    }
    if (!verdict.differences.empty()) {
        Json list = Json::array();
        for (const Difference& difference : verdict.differences) {
            list.append(Json::object()
                            .add("page", difference.page)
                            .add("expectedSequence", difference.expectedSequence)
                            .add("foundSequence", difference.foundSequence));
        }
        json.add("differingPages", verdict.differenceCount).add("firstDifferences", list);
    }
    return json.text();
}

std::string textOf(const std::string& path, const Verdict& verdict) {
    std::string text = path + ": " + verdict.verdict;
    if (verdict.verdict == "consistent") {
        text += " at sequence " + std::to_string(verdict.state.sequence);
    } else {
        text += " (" + verdict.problem + ")";
    }
    for (const Difference& difference : verdict.differences) {
        text += "\n  page " + std::to_string(difference.page) + ": of sequence " +
                std::to_string(difference.foundSequence) + " instead of " + std::to_string(difference.expectedSequence);
    }
    return text;
}

std::int64_t parseNs(const std::string& text) {
    std::size_t used = 0;
    const std::int64_t value = std::stoll(text, &used);
    if (used != text.size()) {
        throw UsageError("not a time in nanoseconds: " + text);
    }
    return value;
}

Demands parseDemands(const Arguments& arguments) {
    Demands demands;
    if (const auto sequence = arguments.find("sequence")) {
        demands.sequence = std::stoull(*sequence);
    }
    if (const auto between = arguments.find("between")) {
        const auto colon = between->find(':');
        if (colon == std::string::npos) {
            throw UsageError("--between T0:T1");
        }
        demands.notBeforeNs = parseNs(between->substr(0, colon));
        demands.notAfterNs = parseNs(between->substr(colon + 1));
    }
    if (const auto time = arguments.find("not-before")) {
        demands.notBeforeNs = parseNs(*time);
    }
    if (const auto time = arguments.find("not-after")) {
        demands.notAfterNs = parseNs(*time);
    }
    return demands;
}

std::vector<std::string> filesOf(const Arguments& arguments) {
    std::vector<std::string> files = arguments.plain();
    if (const auto list = arguments.find("files-from")) {
        std::ifstream opened;
        if (*list != "-") {
            opened.open(pathOf(*list));
        }
        std::istream& stream = *list == "-" ? std::cin : opened;
        for (std::string line; std::getline(stream, line);) {
            files.push_back(line);
        }
    }
    if (files.empty()) {
        throw UsageError("no file to verify");
    }
    return files;
}

}  // namespace

int verifyCommand(const std::vector<std::string>& words) {
    const Arguments arguments(words, {"log", "sequence", "between", "not-before", "not-after", "files-from"}, {"json"});
    const Demands demands = parseDemands(arguments);
    const std::vector<std::string> files = filesOf(arguments);
    const History history(arguments.require("log"));
    std::vector<std::string> reports(files.size());
    std::atomic<std::size_t> next{0};
    std::atomic<bool> isGood{true};
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < std::max(1u, std::thread::hardware_concurrency()); ++i) {
            threads.emplace_back([&] {
                for (std::size_t at = next.fetch_add(1); at < files.size(); at = next.fetch_add(1)) {
                    const Verdict verdict = verifyFile(history, demands, files[at]);
                    reports[at] = arguments.has("json") ? jsonOf(files[at], verdict) : textOf(files[at], verdict);
                    if (verdict.verdict != "consistent") {
                        isGood = false;
                    }
                }
            });
        }
    }
    for (const std::string& report : reports) {
        std::puts(report.c_str());
    }
    return isGood ? 0 : 1;
}

}  // namespace domino_sim::cli
