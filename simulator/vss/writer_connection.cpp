#include "writer_connection.h"

#include <chrono>
#include <deque>

#include "call.h"
#include "operation.h"
#include "settings.h"

namespace vss_simulator {

namespace {

using Clock = std::chrono::steady_clock;

/** A running handler. It may outlive the connection. */
struct Handling {
    WriterEvent event;
    /** The number of the message to answer; nothing if the event was not requested. */
    std::optional<long> number;
    File done = newEvent();
    EventAnswer answer;
};

class Connection {
public:
    Connection(Ref<WriterImpl> writer, File pipe) : writer_(std::move(writer)), channel_(std::move(pipe)) {}

    void serve() {
        while (true) {
            std::vector<HANDLE> events{writer_->stopping(), channel_.arrival()};
            if (handling_) events.push_back(handling_->done.get());
            const DWORD which =
                WaitForMultipleObjects(static_cast<DWORD>(events.size()), events.data(), FALSE, remainingFreezeMs());
            if (which == WAIT_TIMEOUT) {
                abandonFreeze();
            } else if (which == WAIT_OBJECT_0) {
                break;
            } else if (which == WAIT_OBJECT_0 + 2) {
                finish();
            } else if (which != WAIT_OBJECT_0 + 1 || !take()) {
                break;
            }
        }
        if (handling_) WaitForSingleObject(handling_->done.get(), INFINITE);
        if (WaitForSingleObject(writer_->stopping(), 0) != WAIT_OBJECT_0) outliveRequester();
    }

private:
    /** Returns false if the requester is gone. */
    bool take() {
        auto element = channel_.receive();
        if (!element) return false;
        EventMessage message = messageFrom(*element);
        if (!message.event) {
            const std::scoped_lock lock(writer_->mutex());
            answer(message.number, writer_->stateOf(*session_));
        } else {
            waiting_.push_back(std::move(message));
            if (!handling_) next();
        }
        return true;
    }

    void next() {
        while (!handling_ && !waiting_.empty()) {
            EventMessage message = std::move(waiting_.front());
            waiting_.pop_front();
            const WriterEvent event = *message.event;
            if (event == WriterEvent::Thaw || event == WriterEvent::Abort) frozenUntil_.reset();
            bool isHeard = writer_->hears(event);
            {
                const std::scoped_lock lock(writer_->mutex());
                adopt(message);
                if (session_->isOut && event != WriterEvent::BackupShutdown) isHeard = false;
                if (event == WriterEvent::Abort && !session_->isInBackup) isHeard = false;
                if (!isHeard) answer(message.number, writer_->stateOf(*session_));
            }
            if (event == WriterEvent::BackupShutdown) isShutDown_ = true;
            if (isHeard) begin(event, message.number);
        }
    }

    /** Takes over the requester's current view of the session. */
    void adopt(EventMessage& message) {
        session_->details = std::move(message.session);
        session_->document = std::move(message.document);
        session_->volumeNames.clear();
        for (const SetVolume& volume : session_->details.volumes) session_->volumeNames.push_back(volume.name.c_str());
    }

    void begin(WriterEvent event, std::optional<long> number) {
        if (event == WriterEvent::Freeze) {
            frozenUntil_ = Clock::now() + std::chrono::milliseconds(writer_->freezeTimeoutMs());
        }
        handling_ = std::make_shared<Handling>(Handling{event, number, newEvent(), {}});
        runOnOwnThread([handling = handling_, writer = writer_, session = session_]() mutable {
            {
                const WriterImpl::Work work(std::move(writer));
                handling->answer = work.writer().handle(handling->event, session);
            }
            SetEvent(handling->done.get());
        });
    }

    void finish() {
        const auto done = std::exchange(handling_, nullptr);
        if (done->number) answer(*done->number, done->answer);
        const bool isVeto = done->answer.isOut && done->event != WriterEvent::Abort;
        if (isVeto && (done->event == WriterEvent::Freeze || done->event == WriterEvent::Thaw)) {
            frozenUntil_.reset();
            begin(WriterEvent::Abort, std::nullopt);
        } else {
            next();
        }
    }

    void answer(long number, EventAnswer what) {
        what.number = number;
        channel_.send(elementOf(what));  // if it is gone, the next receive() reports it
    }

    DWORD remainingFreezeMs() const {
        if (!frozenUntil_) return INFINITE;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*frozenUntil_ - Clock::now()).count();
        return left > 0 ? static_cast<DWORD>(left) : 0;
    }

    /** The writer was not thawed in time. If the handler of Freeze is still running, it is abandoned. */
    void abandonFreeze() {
        frozenUntil_.reset();
        const auto late = std::exchange(handling_, nullptr);
        {
            const std::scoped_lock lock(writer_->mutex());
            session_->isOut = true;
            session_->state = VSS_WS_FAILED_AT_FREEZE;
            session_->failure = VSS_E_WRITERERROR_TIMEOUT;
            if (late && late->number) answer(*late->number, writer_->stateOf(*session_));
        }
        begin(WriterEvent::Abort, std::nullopt);
    }

    /** The requester has released the session or died. A writer is always notified of that. */
    void outliveRequester() {
        if (isShutDown_) return;
        waitForRundown();
        if (session_->isInBackup && settings().flag("dead_requester_aborts", false)) runLast(WriterEvent::Abort);
        runLast(WriterEvent::BackupShutdown);
    }

    /** COM takes time to notice; meanwhile the time limit of the freeze continues. */
    void waitForRundown() {
        const auto rundownMs = static_cast<DWORD>(settings().number("requester_rundown_ms", 0));
        const auto freezeMs = remainingFreezeMs();
        if (freezeMs >= rundownMs) {
            WaitForSingleObject(writer_->stopping(), rundownMs);
            return;
        }
        WaitForSingleObject(writer_->stopping(), freezeMs);
        abandonFreeze();
        WaitForSingleObject(handling_->done.get(), INFINITE);
        handling_.reset();
        WaitForSingleObject(writer_->stopping(), rundownMs - freezeMs);
    }

    void runLast(WriterEvent event) {
        if (!writer_->hears(event)) return;
        begin(event, std::nullopt);
        WaitForSingleObject(handling_->done.get(), INFINITE);
        handling_.reset();
    }

    const Ref<WriterImpl> writer_;
    WriterChannel channel_;
    const std::shared_ptr<WriterSession> session_ = std::make_shared<WriterSession>();
    std::shared_ptr<Handling> handling_;
    std::deque<EventMessage> waiting_;
    std::optional<Clock::time_point> frozenUntil_;
    bool isShutDown_ = false;
};

}  // namespace

void serveRequesters(WriterImpl& writer, WriterListener& listener) {
    while (true) {
        File pipe = listener.accept(writer.stopping());
        if (!pipe.isOpen()) return;
        runOnOwnThread(
            [kept = Ref<WriterImpl>::share(&writer), connected = std::make_shared<File>(std::move(pipe))]() mutable {
                const WriterImpl::Work work(std::move(kept));
                try {
                    Connection(Ref<WriterImpl>::share(&work.writer()), std::move(*connected)).serve();
                } catch (...) {
                    currentExceptionResult();
                }
            });
    }
}

}  // namespace vss_simulator
