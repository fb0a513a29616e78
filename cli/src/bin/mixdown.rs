fn main() -> std::process::ExitCode {
    soundtrack_cli::mixdown::main()
}
