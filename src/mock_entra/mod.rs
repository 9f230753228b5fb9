//! mock_entra
