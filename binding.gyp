{
  # For builds with node-gyp. The sources are those of cpp/sources.json, the options those of CMakeLists.txt.
  'targets': [
    {
      'target_name': 'domino_vss',
      'sources': [
        '<!@(node -p "const { portable, addon } = require(\'./cpp/sources.json\'); portable.concat(addon).map((file) => \'cpp/\' + file).join(\'\\n\')")',
      ],
      'include_dirs': ['cpp'],
      'defines': [
        'NAPI_VERSION=8',
        'NODE_ADDON_API_CPP_EXCEPTIONS_ALL',
        'NODE_ADDON_API_DISABLE_DEPRECATED',
        'NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS',
        'NODE_ADDON_API_REQUIRE_BASIC_FINALIZERS',
        'NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED',
      ],
      'cflags_cc!': ['-fno-exceptions', '-fno-rtti'],
      'cflags_cc': [
        '-std=c++20',
        # A system directory: the warnings are for our own sources. The path is absolute, for gyp compiles in build/.
        '-isystem',
        '<!(node -p "require(\'path\').resolve(require(\'node-addon-api\').include_dir)")',
        '-fvisibility=hidden',
        '-fvisibility-inlines-hidden',
        '-Wall',
        '-Wextra',
        '-Wpedantic',
        '-Wconversion',
        '-Wshadow',
      ],
      'conditions': [
        ["OS=='linux'", {
          'sources': [
            '<!@(node -p "const { linux, glibc } = require(\'./cpp/sources.json\'); linux.concat(glibc).map((file) => \'cpp/\' + file).join(\'\\n\')")',
          ],
          'libraries': [
            '-lpthread',
            '-ldl',
            # With glibc: see CMakeLists.txt.
            '<!(node -p "process.report.getReport().header.glibcVersionRuntime ? \'-Wl,--push-state,--no-as-needed -l:libpthread.so.0 -l:libdl.so.2 -Wl,--pop-state\' : \'\'")',
          ],
          'ldflags': [
            '-Wl,-z,nodelete', # see docs/decisions/never-unloaded.md
            '-static-libstdc++',
            '-Wl,--version-script=<(module_root_dir)/cmake/exports.map',
            '-Wl,--gc-sections',
            '-Wl,-z,relro,-z,now',
          ],
        }],
        ["OS=='win'", {
          'sources': [
            '<!@(node -p "require(\'./cpp/sources.json\').windows.map((file) => \'cpp/\' + file).join(\'\\n\')")',
          ],
          'include_dirs': ['<!(node -p "require(\'node-addon-api\').include_dir")'],
          'defines': ['UNICODE', '_UNICODE', 'NOMINMAX', 'WIN32_LEAN_AND_MEAN', '_WIN32_WINNT=0x0A00'],
          'msvs_settings': {
            'VCCLCompilerTool': {
              'ExceptionHandling': 1,
              'AdditionalOptions': ['/std:c++20', '/W4', '/permissive-', '/utf-8'],
            },
          },
          # The compiler's runtime is linked statically: other machines lack its redistributable.
          'configurations': {
            'Release': { 'msvs_settings': { 'VCCLCompilerTool': { 'RuntimeLibrary': 0 } } },
            'Debug': { 'msvs_settings': { 'VCCLCompilerTool': { 'RuntimeLibrary': 1 } } },
          },
        }],
      ],
    },
  ],
}
