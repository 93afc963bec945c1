#include "workload_log.h"

#include <cstring>
#include <unordered_map>

namespace domino_sim::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::uint32_t kBeginMagic = 0x4E474542;
constexpr std::uint32_t kEndMagic = 0x20444E45;
constexpr const char* kExtension = ".workload";

struct BeginHead {
    std::uint32_t magic;
    std::uint32_t touched;  // the page numbers follow
    TimeDate databaseId;
    std::uint64_t sequence;
    std::uint64_t seed;
    std::uint64_t parentChain;
    std::uint64_t chain;
    std::int64_t beginNs;
    std::uint32_t pageCount;
    std::uint32_t reserved;
    TimeDate committed;
};

struct EndHead {
    std::uint32_t magic;
    std::uint32_t reserved;
    std::uint64_t chain;
    std::int64_t endNs;
};

void readOneLog(const fs::path& path, const std::function<void(WorkloadRecord&&)>& visit) {
    const platform::File file(path.string(), platform::FileMode::read);
    std::vector<std::byte> bytes(file.sizeBytes());
    bytes.resize(file.readAt(0, bytes));
    std::vector<WorkloadRecord> records;
    std::unordered_map<std::uint64_t, std::size_t> byChain;
    std::size_t at = 0;
    while (at + sizeof(EndHead) <= bytes.size()) {
        std::uint32_t magic = 0;
        std::memcpy(&magic, bytes.data() + at, sizeof magic);
        if (magic == kEndMagic) {
            EndHead head;
            std::memcpy(&head, bytes.data() + at, sizeof head);
            if (const auto found = byChain.find(head.chain); found != byChain.end()) {
                records[found->second].endNs = head.endNs;
            }
            at += sizeof head;
            continue;
        }
        BeginHead head;
        if (magic != kBeginMagic || at + sizeof head > bytes.size()) {
            break;
        }
        std::memcpy(&head, bytes.data() + at, sizeof head);
        const std::size_t pagesBytes = head.touched * sizeof(std::uint32_t);
        if (at + sizeof head + pagesBytes > bytes.size()) {
            break;
        }
        WorkloadRecord record{head.databaseId, head.sequence,  head.seed, head.parentChain, head.chain, head.beginNs, 0,
                              head.pageCount,  head.committed, {}};
        record.pages.resize(head.touched);
        std::memcpy(record.pages.data(), bytes.data() + at + sizeof head, pagesBytes);
        byChain.emplace(head.chain, records.size());
        records.push_back(std::move(record));
        at += sizeof head + pagesBytes;
    }
    for (WorkloadRecord& record : records) {
        visit(std::move(record));
    }
}

}  // namespace

WorkloadLog::WorkloadLog(const fs::path& directory, const std::string& writerName)
    : file_((directory / (writerName + kExtension)).string(), platform::FileMode::createOrOpen),
      sizeBytes_(file_.sizeBytes()) {}

void WorkloadLog::begin(const TransactionPlan& plan, std::int64_t beginNs) {
    const BeginHead head{kBeginMagic,           static_cast<std::uint32_t>(plan.pages.size()),
                         plan.after.databaseId, plan.after.sequence,
                         plan.after.seed,       plan.before.chain,
                         plan.after.chain,      beginNs,
                         plan.after.pageCount,  0,
                         plan.after.committed};
    const std::size_t pagesBytes = plan.pages.size() * sizeof(std::uint32_t);
    std::vector<std::byte> bytes(sizeof head + pagesBytes);
    std::memcpy(bytes.data(), &head, sizeof head);
    std::memcpy(bytes.data() + sizeof head, plan.pages.data(), pagesBytes);
    append(bytes);
}

void WorkloadLog::end(const TransactionPlan& plan, std::int64_t endNs) {
    const EndHead head{kEndMagic, 0, plan.after.chain, endNs};
    append(bytesOf(head));
}

void WorkloadLog::append(std::span<const std::byte> bytes) {
    file_.writeAt(sizeBytes_, bytes);
    sizeBytes_ += bytes.size();
}

void readWorkloadLogs(const fs::path& directory, const std::function<void(WorkloadRecord&&)>& visit) {
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        if (entry.path().extension() == kExtension) {
            readOneLog(entry.path(), visit);
        }
    }
}

}  // namespace domino_sim::cli
