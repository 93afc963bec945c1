#include "shadow/vss/writer/restore_process.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>
#include <vector>

#include "shadow/vss/vss_codes.h"
#include "system/failure.h"

namespace domino_vss::vss {

namespace {

/// How long to wait for the program to end when its work is no longer needed: it puts databases back.
constexpr std::chrono::milliseconds kPuttingBack{60'000};

/// How often closed_ is checked.
constexpr std::chrono::milliseconds kTick{100};

/// How often it is looked whether a program has ended while its requester copies.
constexpr std::chrono::milliseconds kWatch{1'000};

constexpr const char* kEnded =
    "the restore program ended without an answer; databases may be offline: run domino-vss recover";

/// Prepares a field of a line. Text from a requester may contain any characters.
std::string field(std::string text) {
    std::ranges::replace_if(
        text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
    return text;
}

std::vector<std::string> split(std::string_view line) {
    std::vector<std::string> fields;
    for (std::size_t end = line.find('\t'); end != std::string_view::npos; end = line.find('\t')) {
        fields.emplace_back(line.substr(0, end));
        line.remove_prefix(end + 1);
    }
    fields.emplace_back(line);
    return fields;
}

std::uint32_t number(const std::string& text) {
    std::uint32_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

RestoreVerdict refused(std::uint32_t result, std::string text) {
    RestoreVerdict verdict;
    verdict.all = {false, result, 0, std::move(text)};
    return verdict;
}

const char* statusWord(FilesRestored status) {
    switch (status) {
        case FilesRestored::all: return "all";
        case FilesRestored::none: return "none";
        case FilesRestored::failed: return "failed";
    }
    return "failed";
}

}  // namespace

RestoreProcess::RestoreProcess(RestoreProcessOptions options, Listener listener)
    : options_(std::move(options)), listener_(std::move(listener)) {}

RestoreVerdict RestoreProcess::preRestore(const RequestedRestore& restore) {
    const std::vector<RestoreComponent>& components = restore.components;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (closed_) return refused(result::kWriterRetryable, "the writer is shutting down");
    // If its program has ended, the previous restore is over, whatever its result.
    if (!lock || (program_ != nullptr && !program_->hasEnded()))
        return refused(result::kWriterRetryable, "another restore of the same databases is in progress");
    if (program_ != nullptr) over_ = Over{session_, giveUp()};
    if (over_ && over_->session == restore.session) over_.reset();
    if (watcher_ == nullptr) watcher_ = std::make_unique<AbandonableThread>([this] { watch(); }, [](Failure&&) {});
    program_ = std::make_unique<ChildProcess>(options_.commandLine);
    session_ = restore.session;
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < components.size(); ++i)
        lines.push_back("component\t" + std::to_string(i) + "\t" + field(components[i].name) + "\t" +
                        field(components[i].metadata));
    lines.emplace_back("begin");
    if (!say(lines)) {
        program_->kill();
        program_.reset();
        return refused(result::kWriterNonRetryable, "the backup document contains too much data about its components");
    }
    std::string report;
    RestoreVerdict verdict = answer(*program_, report);
    listener_(verdict.all.proceed ? RestoreMoment::begun : RestoreMoment::refused, verdict.all, report);
    if (!verdict.all.proceed) program_.reset();
    return verdict;
}

RestoreVerdict RestoreProcess::postRestore(const RequestedRestore& restore) {
    const std::vector<RestoreComponent>& components = restore.components;
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (lock && over_ && restore.session == over_->session) return std::exchange(over_, std::nullopt)->verdict;
    // VSS may report the end of a restore that was refused, even while another requester restores.
    if (!lock || program_ == nullptr || restore.session != session_) return notFinished(restore);
    std::vector<std::string> lines;
    for (std::size_t i = 0; i < components.size(); ++i)
        lines.push_back("restored\t" + std::to_string(i) + "\t" + statusWord(components[i].status));
    lines.emplace_back("finish");
    // If the program has failed already or cannot be told, its answer is read anyway.
    if (!say(lines)) program_->endInput();
    std::string report;
    RestoreVerdict verdict = answer(*program_, report);
    listener_(verdict.all.proceed ? RestoreMoment::ended : RestoreMoment::failed, verdict.all, report);
    program_.reset();
    return verdict;
}

RestoreVerdict RestoreProcess::answer(ChildProcess& program, std::string& report) {
    const auto deadline = std::chrono::steady_clock::now() + options_.patience;
    RestoreVerdict verdict;
    for (bool ended = false; !closed_ && !ended && std::chrono::steady_clock::now() < deadline;) {
        // In this order: after it has ended, its last line can still be read.
        ended = program.hasEnded();
        const std::optional<std::string> line = program.nextLine(std::chrono::steady_clock::now() + kTick);
        if (!line) continue;
        ended = false;
        std::vector<std::string> fields = split(*line);
        if (fields.size() < 3) continue;
        if (fields[0] == "component") {
            verdict.components.emplace_back(number(fields[1]), std::move(fields[2]));
            continue;
        }
        verdict.all.text = std::move(fields[2]);
        if (fields.size() > 3) report = std::move(fields[3]);
        if (fields[0] == "held" || fields[0] == "done") return verdict;
        verdict.all.proceed = false;
        verdict.all.result = fields[0] == "busy" ? result::kWriterRetryable : result::kWriterNonRetryable;
        verdict.all.applicationResult = number(fields[1]);
        return verdict;
    }
    program.endInput();
    if (closed_) {
        static_cast<void>(program.awaitEnd(kPuttingBack));
        return refused(result::kWriterRetryable, "the writer is shutting down");
    }
    // Its journal names everything that it has started.
    program.kill();
    return refused(result::kWriterNonRetryable, kEnded);
}

bool RestoreProcess::say(const std::vector<std::string>& lines) {
    std::size_t size = 0;
    for (const std::string& line : lines) size += line.size() + 1;
    if (size > ChildProcess::kPipeBytes) return false;
    return std::ranges::all_of(lines, [&](const std::string& line) { return program_->say(line); });
}

RestoreVerdict RestoreProcess::giveUp() noexcept {
    RestoreVerdict verdict;
    verdict.all.proceed = false;
    verdict.all.result = result::kWriterNonRetryable;
    program_->endInput();
    try {
        const auto deadline = std::chrono::steady_clock::now() + kPuttingBack;
        verdict.all.text = kEnded;
        std::string report;
        while (const std::optional<std::string> line = program_->nextLine(deadline)) {
            std::vector<std::string> fields = split(*line);
            if (fields.size() < 3 || fields[0] != "failed") continue;
            verdict.all.text = std::move(fields[2]);
            if (fields.size() > 3) report = std::move(fields[3]);
            break;
        }
        listener_(RestoreMoment::failed, verdict.all, report);
    } catch (...) {
        // Out of memory, so it is not reported. The program's journal names everything that it has started.
    }
    program_.reset();
    return verdict;
}

void RestoreProcess::watch() {
    std::unique_lock closing(closing_);
    while (!isClosing_.wait_for(closing, kWatch, [this] { return closed_.load(); })) {
        // A handler that waits for the program notices its end by itself.
        const std::unique_lock lock(mutex_, std::try_to_lock);
        if (lock && program_ != nullptr && program_->hasEnded()) over_ = Over{session_, giveUp()};
    }
}

void RestoreProcess::shutdown(const Guid& session) noexcept {
    // A handler that is waiting for the program ends it itself.
    const std::unique_lock lock(mutex_, std::try_to_lock);
    if (!lock) return;
    if (program_ != nullptr && session == session_) static_cast<void>(giveUp());
    if (over_ && session == over_->session) over_.reset();
}

void RestoreProcess::close() noexcept {
    {
        const std::lock_guard closing(closing_);
        closed_ = true;
    }
    isClosing_.notify_all();
    std::unique_ptr<AbandonableThread> watcher;
    {
        const std::lock_guard lock(mutex_);
        if (program_ != nullptr) static_cast<void>(giveUp());
        watcher = std::move(watcher_);
    }
    if (watcher != nullptr) watcher->join();
}

}  // namespace domino_vss::vss
