#pragma once
// Answers lines from standard input and from a Unix socket or named pipe. Each connection has its own thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace domino_sim::cli {

using AnswerLine = std::function<std::string(const std::string& line)>;

class LineServer {
public:
    LineServer(const std::string& address, AnswerLine answer);
    LineServer(const LineServer&) = delete;
    LineServer& operator=(const LineServer&) = delete;
    ~LineServer();

private:
    class Listener;
    std::unique_ptr<Listener> listener_;
};

/** The system's request to terminate (SIGTERM, SIGINT; Ctrl+C, Ctrl+Break). Create it before any thread. */
class StopRequest {
public:
    StopRequest();
    StopRequest(const StopRequest&) = delete;
    StopRequest& operator=(const StopRequest&) = delete;
    ~StopRequest();

    /** Makes the same request from inside the process. */
    void request();

    /** The object to wait for: a descriptor or a handle. */
    std::intptr_t waitable() const { return waitable_; }

private:
    std::intptr_t waitable_ = -1;
};

/** Answers lines from standard input until a stop is requested or, with `stopsAtEnd`, until the input ends. */
void answerStandardInput(const AnswerLine& answer, const StopRequest& stop, bool stopsAtEnd);

/** Standard input and output are binary; otherwise Windows would convert line endings. */
void useBinaryStreams();

}  // namespace domino_sim::cli
