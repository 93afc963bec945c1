#include "registered_writers.h"

#include <algorithm>
#include <chrono>

#include "call.h"
#include "settings.h"
#include "text.h"

namespace vss_simulator {

namespace {

/** `{class}{instance}.writer` */
constexpr std::size_t kGuidLength = 38;

BackupDocument documentFor(const WriterRun& run, const BackupDocument& document) {
    BackupDocument part = document;
    std::erase_if(part.writers, [&](const WriterSelection& selection) {
        return !IsEqualGUID(selection.instanceId, run.writer.instanceId);
    });
    return part;
}

void take(WriterRun& run, EventAnswer answer, BackupDocument& document) {
    run.state = answer.state;
    run.failure = answer.failure;
    run.applicationFailure = answer.applicationFailure;
    run.applicationMessage = std::move(answer.applicationMessage);
    run.isOut = answer.isOut;
    for (WriterSelection& changed : answer.selections) {
        for (WriterSelection& selection : document.writers) {
            if (IsEqualGUID(selection.instanceId, changed.instanceId)) selection = changed;
        }
    }
}

/** The writer does not answer and is no longer waited for. */
void giveUp(WriterRun& run, WriterEvent event) {
    run.state = outcomeOf(event).bad;
    run.failure = VSS_E_WRITER_NOT_RESPONDING;
    run.isOut = true;
}

/** `operation` is NULL if there is no cancellation. */
void await(WriterRun& run, WriterEvent event, BackupDocument& document, Operation* operation) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = Clock::now() + std::chrono::milliseconds(settings().number("writer_patience_ms", 600'000));
    while (Clock::now() < deadline) {
        constexpr DWORD kGlanceMs = 20;
        if (operation != nullptr) operation->pause(0);
        if (WaitForSingleObject(run.registered->arrival(), kGlanceMs) != WAIT_OBJECT_0) continue;
        EventAnswer answer;
        const auto arrival = run.registered->receive(answer);
        if (arrival == RegisteredWriter::Arrival::TooLate) continue;
        if (arrival == RegisteredWriter::Arrival::Gone) {
            run.isGone = true;
            return;
        }
        if (event == WriterEvent::Identify) {
            run.registered->level = answer.level;
            if (!answer.metadata) run.isGone = true;  // it does not want to be reported
            if (answer.metadata) run.writer = std::move(*answer.metadata);
        }
        take(run, std::move(answer), document);
        return;
    }
    giveUp(run, event);
}

using Runs = std::vector<WriterRun*>;

void deliverTo(const Runs& hearers, WriterEvent event, const SessionDetails& session, BackupDocument& document,
               Operation* operation) {
    for (WriterRun* run : hearers) {
        EventMessage message;
        message.event = event;
        message.session = session;
        message.document = documentFor(*run, document);
        if (!run->registered->send(std::move(message))) run->isGone = true;
    }
    for (WriterRun* run : hearers) {
        if (!run->isGone) await(*run, event, document, operation);
    }
}

}  // namespace

bool RegisteredWriter::send(EventMessage message) {
    message.number = ++number_;
    return channel_.send(elementOf(message));
}

RegisteredWriter::Arrival RegisteredWriter::receive(EventAnswer& answer) {
    const auto element = channel_.receive();
    if (!element) return Arrival::Gone;
    answer = answerFrom(*element);
    return answer.number == number_ ? Arrival::Answer : Arrival::TooLate;
}

std::filesystem::path registrationFile(const VSS_ID& classId, const VSS_ID& instanceId) {
    return stateDirectory() / L"writers" / utf16(guidText(classId) + guidText(instanceId) + ".writer");
}

std::vector<WriterRun> registeredWriters(
    const std::function<bool(const VSS_ID& classId, const VSS_ID& instanceId)>& isWanted) {
    std::vector<WriterRun> runs;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(stateDirectory() / L"writers", error)) {
        const std::string name = utf8(entry.path().stem().native());
        if (name.size() != 2 * kGuidLength || !isOwned(entry.path())) continue;
        WriterRun run;
        run.writer.classId = guidFrom(name.substr(0, kGuidLength));
        run.writer.instanceId = guidFrom(name.substr(kGuidLength));
        if (!isWanted(run.writer.classId, run.writer.instanceId)) continue;
        File pipe = connectToWriter(name.substr(kGuidLength));
        if (!pipe.isOpen()) continue;
        run.registered = std::make_shared<RegisteredWriter>(std::move(pipe));
        runs.push_back(std::move(run));
    }
    return runs;
}

void deliverToPrograms(WriterEvent event, std::vector<WriterRun>& runs, const SessionDetails& session,
                       BackupDocument& document, Operation& operation) {
    Runs hearers;
    for (WriterRun& run : runs) {
        if (run.registered && takesPart(run, event)) hearers.push_back(&run);
    }
    if (event != WriterEvent::Freeze) {
        deliverTo(hearers, event, session, document, &operation);
        return;
    }
    // Front ends are frozen first; what they depend on comes later.
    const auto isOf = [](const WriterRun* run, VSS_APPLICATION_LEVEL level) { return run->registered->level == level; };
    for (const VSS_APPLICATION_LEVEL level : {VSS_APP_FRONT_END, VSS_APP_BACK_END, VSS_APP_SYSTEM, VSS_APP_SYSTEM_RM}) {
        Runs frozen;
        std::ranges::copy_if(hearers, std::back_inserter(frozen), [&](const auto* run) { return isOf(run, level); });
        deliverTo(frozen, event, session, document, &operation);
    }
}

void deliverLastToPrograms(WriterEvent event, std::vector<WriterRun>& runs, const SessionDetails& session,
                           BackupDocument& document) {
    Runs hearers;
    for (WriterRun& run : runs) {
        if (run.registered && !run.isGone) hearers.push_back(&run);
    }
    deliverTo(hearers, event, session, document, nullptr);
}

void refreshStates(std::vector<WriterRun>& runs) {
    BackupDocument none;
    for (WriterRun& run : runs) {
        if (!run.registered || run.isGone || run.failure == VSS_E_WRITER_NOT_RESPONDING) continue;
        if (!run.registered->send({})) {
            run.isGone = true;
        } else {
            await(run, WriterEvent::BackupShutdown, none, nullptr);
        }
    }
}

}  // namespace vss_simulator
