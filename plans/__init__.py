"""What the patient should do: care plans as data, their checks, and the prescriptions made from them. Pure."""
