#include "line_server.h"

#include <array>
#include <cstdio>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <io.h>

#include "line_buffer.h"
#include "windows_handle.h"

namespace domino_sim::cli {

namespace {

using platform::owned;
using platform::throwLastError;
using platform::UniqueHandle;

constexpr DWORD kPipeBytes = 65536;

UniqueHandle makeEvent() {
    UniqueHandle event(::CreateEventW(nullptr, TRUE, FALSE, nullptr));
    if (event == nullptr) {
        throwLastError("CreateEvent");
    }
    return event;
}

/** An operation on a pipe that a stop request interrupts. */
class Operation {
public:
    explicit Operation(HANDLE stop) : stop_(stop), event_(makeEvent()) {}

    /**
     * Runs `start` with an OVERLAPPED. Returns the number of bytes transferred; nothing after an error or a stop
     * request.
     */
    template <typename Start>
    std::optional<DWORD> run(HANDLE pipe, const Start& start) {
        OVERLAPPED overlapped{};
        overlapped.hEvent = event_.get();
        DWORD moved = 0;
        if (start(&overlapped) == 0 && ::GetLastError() != ERROR_IO_PENDING) {
            // The client may have connected before the server waited for it.
            return ::GetLastError() == ERROR_PIPE_CONNECTED ? std::optional(moved) : std::nullopt;
        }
        const std::array<HANDLE, 2> events{event_.get(), stop_};
        if (::WaitForMultipleObjects(2, events.data(), FALSE, INFINITE) != WAIT_OBJECT_0) {
            ::CancelIoEx(pipe, &overlapped);
            ::GetOverlappedResult(pipe, &overlapped, &moved, TRUE);  // the buffer is in use until then
            return std::nullopt;
        }
        return ::GetOverlappedResult(pipe, &overlapped, &moved, FALSE) != 0 ? std::optional(moved) : std::nullopt;
    }

private:
    HANDLE stop_;
    UniqueHandle event_;
};

void serveConnection(const UniqueHandle& pipe, HANDLE stop, const AnswerLine& answer) {
    Operation operation(stop);
    LineBuffer buffer;
    std::vector<char> piece(kPipeBytes);
    while (true) {
        const auto got = operation.run(pipe.get(), [&](OVERLAPPED* overlapped) {
            return ::ReadFile(pipe.get(), piece.data(), kPipeBytes, nullptr, overlapped);
        });
        if (!got || *got == 0) {
            return;
        }
        buffer.append({piece.data(), *got});
        for (std::string line; buffer.next(line);) {
            const std::string text = answer(line) + "\n";
            const auto put = operation.run(pipe.get(), [&](OVERLAPPED* overlapped) {
                return ::WriteFile(pipe.get(), text.data(), static_cast<DWORD>(text.size()), nullptr, overlapped);
            });
            if (!put) {
                return;
            }
        }
    }
}

HANDLE stopEvent = nullptr;  // for the console handler, which has no context parameter

BOOL WINAPI onConsoleEvent(DWORD) {
    ::SetEvent(stopEvent);
    return TRUE;
}

/** Reads lines from standard input on a thread that cannot be interrupted; it lives until the process ends. */
class StandardInput {
public:
    StandardInput() : arrived_(makeEvent()) {}

    void read() {
        LineBuffer buffer;
        char piece[4096];
        DWORD got = 0;
        const HANDLE input = ::GetStdHandle(STD_INPUT_HANDLE);
        while (::ReadFile(input, piece, sizeof piece, &got, nullptr) != 0 && got > 0) {
            buffer.append({piece, got});
            for (std::string line; buffer.next(line);) {
                const std::lock_guard lock(mutex_);
                lines_.push_back(std::move(line));
                ::SetEvent(arrived_.get());
            }
        }
        const std::lock_guard lock(mutex_);
        hasEnded_ = true;
        ::SetEvent(arrived_.get());
    }

    HANDLE arrived() const { return arrived_.get(); }

    /** The lines received so far, and whether these are all. */
    std::pair<std::deque<std::string>, bool> take() {
        const std::lock_guard lock(mutex_);
        ::ResetEvent(arrived_.get());
        return {std::exchange(lines_, {}), hasEnded_};
    }

private:
    UniqueHandle arrived_;
    std::mutex mutex_;
    std::deque<std::string> lines_;
    bool hasEnded_ = false;
};

}  // namespace

class LineServer::Listener {
public:
    Listener(const std::string& address, AnswerLine answer)
        : name_(platform::wideOf(address)), answer_(std::move(answer)), stop_(makeEvent()) {
        acceptor_ = std::jthread([this, first = makePipe()]() mutable { accept(std::move(first)); });
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() {
        ::SetEvent(stop_.get());
        acceptor_.join();
    }

private:
    UniqueHandle makePipe() const {
        UniqueHandle pipe = owned(::CreateNamedPipeW(name_.c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                                     PIPE_TYPE_BYTE | PIPE_REJECT_REMOTE_CLIENTS,
                                                     PIPE_UNLIMITED_INSTANCES, kPipeBytes, kPipeBytes, 0, nullptr));
        if (pipe == nullptr) {
            throwLastError("CreateNamedPipe");
        }
        return pipe;
    }

    void accept(UniqueHandle pipe) {
        Operation operation(stop_.get());
        while (operation.run(pipe.get(),
                             [&](OVERLAPPED* overlapped) { return ::ConnectNamedPipe(pipe.get(), overlapped); })) {
            // Created before the current pipe is in use, so that a client always finds a server.
            UniqueHandle connected = std::exchange(pipe, makePipe());
            connections_.emplace_back(
                [this, connection = std::move(connected)] { serveConnection(connection, stop_.get(), answer_); });
        }
    }

    std::wstring name_;
    AnswerLine answer_;
    UniqueHandle stop_;
    std::vector<std::jthread> connections_;
    std::jthread acceptor_;  // last, so that it ends first
};

LineServer::LineServer(const std::string& address, AnswerLine answer)
    : listener_(std::make_unique<Listener>(address, std::move(answer))) {}

LineServer::~LineServer() = default;

StopRequest::StopRequest() {
    stopEvent = makeEvent().release();
    waitable_ = reinterpret_cast<std::intptr_t>(stopEvent);
    ::SetConsoleCtrlHandler(onConsoleEvent, TRUE);
}

StopRequest::~StopRequest() {
    ::SetConsoleCtrlHandler(onConsoleEvent, FALSE);
    ::CloseHandle(stopEvent);
}

void StopRequest::request() {
    ::SetEvent(stopEvent);
}

void answerStandardInput(const AnswerLine& answer, const StopRequest& stop, bool stopsAtEnd) {
    const auto input = std::make_shared<StandardInput>();
    std::thread([input] { input->read(); }).detach();
    const std::array<HANDLE, 2> events{reinterpret_cast<HANDLE>(stop.waitable()), input->arrived()};
    bool hasEnded = false;
    // After the end of the input, only the stop request is waited for.
    while (::WaitForMultipleObjects(hasEnded ? 1 : 2, events.data(), FALSE, INFINITE) != WAIT_OBJECT_0) {
        const auto [lines, isAll] = input->take();
        for (const std::string& line : lines) {
            std::printf("%s\n", answer(line).c_str());
            std::fflush(stdout);
        }
        hasEnded = isAll;
        if (hasEnded && stopsAtEnd) {
            return;
        }
    }
}

void useBinaryStreams() {
    ::_setmode(::_fileno(stdin), _O_BINARY);
    ::_setmode(::_fileno(stdout), _O_BINARY);
}

}  // namespace domino_sim::cli
