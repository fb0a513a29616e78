fn main() -> std::process::ExitCode {
    soundtrack_cli::batch::main()
}
