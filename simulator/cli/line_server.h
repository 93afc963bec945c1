#pragma once
// Answers lines: from standard input and from a Unix socket, each connection on a thread of its own.

#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace domino_sim::cli {

using AnswerLine = std::function<std::string(const std::string& line)>;

class LineServer {
public:
    LineServer(const std::string& socketPath, AnswerLine answer);
    LineServer(const LineServer&) = delete;
    LineServer& operator=(const LineServer&) = delete;
    ~LineServer();

private:
    void accept(const std::stop_token& stop);

    std::string socketPath_;
    AnswerLine answer_;
    int listener_ = -1;
    std::vector<std::jthread> connections_;
    std::jthread acceptor_;  // last: ends first
};

/** Answers the lines of standard input until `stopDescriptor` becomes readable or, if asked, until the input ends. */
void answerStandardInput(const AnswerLine& answer, int stopDescriptor, bool stopsAtEnd);

}  // namespace domino_sim::cli
