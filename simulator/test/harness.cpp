#include "harness.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "../cli/child_process.h"
#include "domino.h"
#include "surroundings.h"

namespace fs = std::filesystem;

using domino_sim::cli::ChildProcess;
using domino_sim::cli::ownPath;

struct AgainProcess {
    explicit AgainProcess(const char* part) : child(ownPath(), {part}) {}
    ChildProcess child;
};

namespace {

constexpr const char* kDirectoryVariable = "DOMINO_SIM_TEST_DIRECTORY";
constexpr const char* kPaused = "paused";

std::string directory;
std::string data;
std::unique_ptr<ChildProcess> server;

void useDirectory(const std::string& path) {
    directory = path;
    data = path + "/data";
    setEnvironment(kDirectoryVariable, path.c_str());
}

std::string environment(const char* name) {
    const char* value = std::getenv(name);
    CHECK(value != nullptr);
    return value == nullptr ? "" : value;
}

std::vector<std::string> wordsOf(const std::string& text) {
    std::istringstream stream(text);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(word);
    }
    return words;
}

struct ToolResult {
    int exitCode;
    std::string output;
};

ToolResult runTool(const std::string& words) {
    ChildProcess tool(environment("DOMINO_SIM"), wordsOf(words));
    tool.closeInput();
    std::string output = tool.readAll();
    return {tool.wait(), std::move(output)};
}

std::string formatted(const char* format, va_list arguments) {
    char text[8192];
    std::vsnprintf(text, sizeof text, format, arguments);
    return text;
}

}  // namespace

void checkAt(const char* file, int line, const char* text, int isTrue) {
    if (!isTrue) {
        std::fprintf(stderr, "%s:%d: %s is false\n", file, line, text);
        std::fflush(stderr);
        if (server != nullptr) {
            server->kill();
        }
        std::_Exit(1);
    }
}

void checkStatusAt(const char* file, int line, const char* text, uint16_t status, uint16_t expected) {
    if (status != expected) {
        std::fprintf(stderr, "%s:%d: %s gave 0x%04X, not 0x%04X\n", file, line, text, status, expected);
        checkAt(file, line, text, 0);
    }
}

const char* testDirectory(void) {
    return directory.c_str();
}

const char* dataDirectory(void) {
    return data.c_str();
}

void simulationCreate(const char* options) {
    const fs::path path = fs::temp_directory_path() / ("domino-sim-test-" + std::to_string(std::random_device()()));
    CHECK(fs::create_directory(path));
    useDirectory(path.string());
    CHECK(simTool("create --data %s --program %s %s", dataDirectory(), environment("Notes_ExecDirectory").c_str(),
                  options) == 0);
    fs::create_directories(directory + "/log");
}

void simulationInit(void) {
    if (directory.empty()) {
        useDirectory(environment(kDirectoryVariable));
    }
    char program[] = "test";
    std::string ini = "=" + data + "/notes.ini";
    char* arguments[] = {program, ini.data()};
    setEnvironment("SIM_ALLOW_ROOT", "1");
    setEnvironment("SIM_QUIET", "1");
    CHECK_OK(NotesInitExtended(2, arguments));
}

void serverStart(const char* options) {
    const std::string words =
        "serve --ini " + data + "/notes.ini --log " + directory + "/log --stop-with-stdin " + options;
    server = std::make_unique<ChildProcess>(environment("DOMINO_SIM"), wordsOf(words));
    CHECK(server->readLine().find("\"ready\":true") != std::string::npos);
}

const char* serverAsk(const char* format, ...) {
    static std::string answer;
    va_list arguments;
    va_start(arguments, format);
    answer = server->ask(formatted(format, arguments));
    va_end(arguments);
    if (answer.find("\"ok\":true") == std::string::npos) {
        std::fprintf(stderr, "%s: %s\n", format, answer.c_str());
        CHECK(!"the server refused");
    }
    return answer.c_str();
}

void serverStop(void) {
    server->closeInput();
    CHECK(server->wait() == 0);
    server.reset();
}

void serverKill(void) {
    server->kill();
    server->wait();
    server.reset();
}

void simulationDestroy(void) {
    if (server != nullptr) {
        serverStop();
    }
    CHECK(simTool("destroy --data %s", dataDirectory()) == 0);
    fs::remove_all(directory);
}

int verify(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const ToolResult result = runTool("verify --log " + directory + "/log " + formatted(format, arguments));
    va_end(arguments);
    return result.exitCode;
}

int simTool(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const ToolResult result = runTool(formatted(format, arguments));
    va_end(arguments);
    return result.exitCode;
}

const char* simOutput(const char* format, ...) {
    static ToolResult result;
    va_list arguments;
    va_start(arguments, format);
    result = runTool(formatted(format, arguments));
    va_end(arguments);
    CHECK(result.exitCode == 0);
    return result.output.c_str();
}

int runAgain(const char* part) {
    AgainProcess again(part);
    return again.child.wait();
}

AgainProcess* startAgain(const char* part) {
    auto again = std::make_unique<AgainProcess>(part);
    CHECK(again->child.readLine() == kPaused);
    return again.release();
}

void pauseHere(void) {
    char line[16];
    std::puts(kPaused);
    std::fflush(stdout);
    CHECK(std::fgets(line, sizeof line, stdin) != nullptr);
}

void continueAgain(AgainProcess* again) {
    CHECK(again->child.ask("on") == kPaused);
}

int finishAgain(AgainProcess* again) {
    const std::unique_ptr<AgainProcess> owned(again);
    owned->child.writeLine("on");
    return owned->child.wait();
}

void startBackup(const char* name, uint32_t* db, uint32_t* context, uint32_t* size) {
    DWORD high = 0;
    CHECK_OK(NSFDbOpen(name, db));
    CHECK_OK(NSFBackupStart(*db, 0, context, size, &high));
    CHECK(high == 0);
}

void finishBackup(uint32_t db, uint32_t context, uint32_t size, const char* copy) {
    char path[4096];
    char piece[32768];
    std::string copyName = copy;
    DWORD low = 0;
    DWORD high = 0;
    DHANDLE apply = 0;
    CHECK_OK(NSFDbPathGet(db, nullptr, path));
    copyFile(path, copy, size, nullptr, nullptr);
    CHECK_OK(NSFBackupStop(db, context));
    CHECK_OK(NSFBackupGetChangeInfoSize(db, context, 0, &low, &high));
    CHECK_OK(NSFBackupStartApplyChangeInfo(&apply, copyName.data(), 0, low, high));
    for (DWORD filled = 1; filled != 0;) {
        CHECK_OK(NSFBackupGetNextChangeInfo(db, context, 0, piece, sizeof piece, &filled));
        CHECK_OK(NSFBackupApplyNextChangeInfo(apply, 0, piece, filled));
    }
    CHECK_OK(NSFBackupEndApplyChangeInfo(apply, 0));
    CHECK_OK(NSFBackupEnd(db, context, 0));
    CHECK_OK(NSFDbClose(db));
}

void sleepMs(unsigned ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
}

void copyFile(const char* from, const char* to, uint64_t size, void (*between)(uint64_t copied, void* parameter),
              void* parameter) {
    char block[32768];
    FILE* in = std::fopen(from, "rb");
    FILE* out = std::fopen(to, "wb");
    CHECK(in != nullptr && out != nullptr);
    std::setvbuf(in, nullptr, _IONBF, 0);
    for (uint64_t done = 0; done < size;) {
        const size_t wanted = size - done < sizeof block ? static_cast<size_t>(size - done) : sizeof block;
        CHECK(std::fread(block, 1, wanted, in) == wanted);
        CHECK(std::fwrite(block, 1, wanted, out) == wanted);
        done += wanted;
        if (between != nullptr) {
            between(done, parameter);
        }
    }
    std::fclose(in);
    CHECK(std::fclose(out) == 0);
}
