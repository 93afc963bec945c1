#pragma once
// A program that is asked over its standard input and answers on its standard output.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace domino_sim::cli {

/** The file this process was started from. */
std::string ownPath();

class ChildProcess {
public:
    ChildProcess(const std::string& program, const std::vector<std::string>& words);
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /** Ends its input, which stops it, and waits for its end. */
    ~ChildProcess();

    /** The next line of its output; empty at the end. */
    std::string readLine();

    /** Everything up to the end of its output. */
    std::string readAll();

    void writeLine(const std::string& line);
    std::string ask(const std::string& line);
    void closeInput() { in_.reset(); }

    /** Waits for its end; the exit code, or 128 and the number of a signal. */
    int wait();

    /** As a crash would end it. */
    void kill();

private:
    struct Closer {
        void operator()(std::FILE* file) const { std::fclose(file); }
    };

    std::intptr_t process_ = 0;  // a number on Linux, a handle on Windows
    std::unique_ptr<std::FILE, Closer> in_;
    std::unique_ptr<std::FILE, Closer> out_;
    std::mutex mutex_;
};

}  // namespace domino_sim::cli
