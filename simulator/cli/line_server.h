#pragma once
// Answers lines: from standard input and from a Unix socket or named pipe, each connection on a thread of its own.

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

/** What the system sends to a program that is to end (SIGTERM, SIGINT; Ctrl+C, Ctrl+Break). Made before any thread. */
class StopRequest {
public:
    StopRequest();
    StopRequest(const StopRequest&) = delete;
    StopRequest& operator=(const StopRequest&) = delete;
    ~StopRequest();

    /** Does the same from inside. */
    void request();

    /** What can be waited for: a descriptor or a handle. */
    std::intptr_t waitable() const { return waitable_; }

private:
    std::intptr_t waitable_ = -1;
};

/** Answers the lines of standard input until a stop is requested or, if asked, until the input ends. */
void answerStandardInput(const AnswerLine& answer, const StopRequest& stop, bool stopsAtEnd);

/** Standard input and output carry bytes; Windows would change the ends of lines. */
void useBinaryStreams();

}  // namespace domino_sim::cli
