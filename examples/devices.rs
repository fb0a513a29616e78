//! Lists the output devices of this machine, whose names and ids `mixdown --play=NAME` and `PlayerBuilder::device` accept.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().any(|argument| matches!(argument.as_str(), "-h" | "--help")) {
        println!("Lists the output devices of this machine.");
        return Ok(());
    }
    let devices = soundtrack::devices()?;
    if devices.is_empty() {
        println!("there is no output device");
    }
    for device in devices {
        let mark = if device.is_default { '*' } else { ' ' };
        let rates = device
            .rates
            .map_or_else(String::new, |(low, high)| format!(", {low} to {high} Hz"));
        println!(
            "{mark} {}  ({}{rates}, up to {} channels)",
            device.name, device.id, device.channels
        );
    }
    Ok(())
}
