#include "child_process.h"

namespace domino_sim::cli {

ChildProcess::~ChildProcess() {
    closeInput();
    if (process_ != 0) {
        wait();
    }
}

std::string ChildProcess::readLine() {
    std::string line;
    for (int c = std::fgetc(out_.get()); c != EOF && c != '\n'; c = std::fgetc(out_.get())) {
        line += static_cast<char>(c);
    }
    if (line.ends_with('\r')) {
        line.pop_back();
    }
    return line;
}

std::string ChildProcess::readAll() {
    std::string text;
    for (int c = std::fgetc(out_.get()); c != EOF; c = std::fgetc(out_.get())) {
        text += static_cast<char>(c);
    }
    return text;
}

void ChildProcess::writeLine(const std::string& line) {
    std::fprintf(in_.get(), "%s\n", line.c_str());
    std::fflush(in_.get());
}

std::string ChildProcess::ask(const std::string& line) {
    const std::lock_guard lock(mutex_);
    writeLine(line);
    return readLine();
}

}  // namespace domino_sim::cli
